#!/bin/sh
# The LaTeX of tests/papers, and of figures that are set in it: installed where that needs nobody's word, else their
# tests are skipped and say why. It fails nothing: without LaTeX all other tests run.
# booktabs is in texlive-latex-recommended, pdffonts in poppler-utils; matplotlib takes all the rest.
all_there() {
    for program in pdflatex pdffonts dvipng; do command -v $program >/dev/null || return 1; done
    for file in booktabs.sty type1cm.sty type1ec.sty ptmr7t.tfm; do kpsewhich $file >/dev/null || return 1; done
}
all_there && exit 0
packages="texlive-latex-base texlive-latex-recommended poppler-utils
    texlive-latex-extra texlive-fonts-recommended cm-super dvipng"
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "installing LaTeX for the tests of papers …"
    { timeout 120 apt-get update -qq &&
        DEBIAN_FRONTEND=noninteractive timeout 600 apt-get install -qq -y --no-install-recommends $packages; } \
        >/dev/null 2>&1 || echo "… it could not be installed: the tests that need it will be skipped"
else
    echo "no LaTeX as tests of papers and figures need it: they will be skipped;" \
        "on Debian, as root: apt-get install" $packages
fi
exit 0
