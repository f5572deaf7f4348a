#!/bin/sh
# The LaTeX of tests/papers: installed where that needs nobody's word, else its test is skipped and says why.
# It fails nothing: without LaTeX all other tests run. booktabs is in texlive-latex-recommended, pdffonts in poppler-utils.
command -v pdflatex >/dev/null && kpsewhich booktabs.sty >/dev/null && exit 0
packages="texlive-latex-base texlive-latex-recommended poppler-utils"
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "installing LaTeX for the tests of papers …"
    { timeout 120 apt-get update -qq &&
        DEBIAN_FRONTEND=noninteractive timeout 600 apt-get install -qq -y --no-install-recommends $packages; } \
        >/dev/null 2>&1 || echo "… it could not be installed: the test that compiles will be skipped"
else
    echo "no LaTeX with booktabs: its test will be skipped; on Debian, as root: apt-get install $packages"
fi
exit 0
