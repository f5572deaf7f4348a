"""Whatever a name holds, LaTeX prints it and takes none of it for itself."""

from __future__ import annotations

import re
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fitlab.escaping import SPECIAL, escaped, signs, typeset

TAKEN = "\\{}$&#%_~^"  # by TeX
BACK = {tex: character for character, tex in SPECIAL.items() if character != '"'} | {"{}": ""}
PIECES = re.compile("|".join(sorted(map(re.escape, BACK), key=len, reverse=True)))
PRINTABLE = st.text(string.printable.strip().replace('"', "") + " ")


def depth(tex: str) -> list[int]:
    """Return how deep in braces each place is; escaped ones are none."""
    found, at = [0], re.sub(r"\\[{}\\]", "", tex)
    for character in at:
        found.append(found[-1] + (character == "{") - (character == "}"))
    return found


@given(PRINTABLE)
def test_every_special_is_escaped_and_the_text_can_be_read_back(text: str) -> None:
    tex = escaped(text)
    assert not set(PIECES.sub("", tex)) & set(TAKEN)
    assert PIECES.sub(lambda found: BACK[found.group()], tex) == text


@pytest.mark.parametrize("write", [escaped, typeset])
@given(text=st.text())
def test_any_text_is_ascii_with_balanced_braces(write, text: str) -> None:
    tex = write(text)
    assert tex.isascii()
    assert all(character.isprintable() for character in tex)
    assert min(depth(tex)) == depth(tex)[-1] == 0


def test_letters_signs_and_what_no_font_has() -> None:
    assert escaped("Müller, Erdős, Łukasz, ñ, ß") == r"M\"{u}ller, Erd\H{o}s, \L{}ukasz, \~{n}, \ss{}"
    assert escaped("α ≤ Δ ± −1 µm²") == (
        r"\ensuremath{\alpha} \ensuremath{\leq} \ensuremath{\Delta} \ensuremath{\pm} \ensuremath{-}1 "
        r"\ensuremath{\mu}m\ensuremath{^{2}}"
    )
    assert escaped("中 a\tb\nc") == "[U+4E2D] a b c"
    assert escaped("a--b---c") == "a-{}-b-{}-{}-c"


@given(st.text(string.printable), st.text())
def test_latex_stays_as_it_is_and_only_signs_get_its_words(tex: str, text: str) -> None:
    assert signs(tex) == tex
    assert signs(text).isascii()
    assert signs(escaped(text)) == escaped(text)


def test_sentences_have_mathematics_and_may_break() -> None:
    assert (
        typeset("S = 5 at 90 % of sklearn.svm.SVC") == r"$S$~=~5 at 90~\% of sklearn.\allowbreak{}svm.\allowbreak{}SVC"
    )
