"""Any text as LaTeX that prints it: ASCII alone, so that every engine and encoding takes it."""

from __future__ import annotations

import re
import unicodedata

SPECIAL = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\ensuremath{\$}",  # in text it comes from a font that many installations have as a bitmap alone
    "&": r"\&",
    "#": r"\#",
    "%": r"\%",
    "_": r"\_",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\ensuremath{<}",  # the others are no ASCII in the fonts that LaTeX begins with, or ligatures
    ">": r"\ensuremath{>}",
    "|": r"\ensuremath{|}",
    "`": r"\`{}",
    '"': "''",
}
GREEK = frozenset({
    "alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa", "lambda", "mu", "nu", "xi",
    "pi", "rho", "sigma", "tau", "upsilon", "phi", "chi", "psi", "omega",
})  # fmt: skip
CAPITALS = frozenset({"gamma", "delta", "theta", "lambda", "xi", "pi", "sigma", "upsilon", "phi", "psi", "omega"})
MATHS = {
    "−": "-", "±": r"\pm", "×": r"\times", "·": r"\cdot", "÷": r"\div", "≤": r"\leq", "≥": r"\geq", "≠": r"\neq",
    "≈": r"\approx", "∞": r"\infty", "∈": r"\in", "∝": r"\propto", "√": r"\surd", "∂": r"\partial", "∑": r"\sum",
    "∏": r"\prod", "∫": r"\int", "→": r"\rightarrow", "←": r"\leftarrow", "↑": r"\uparrow", "↓": r"\downarrow",
    "°": r"^{\circ}", "µ": r"\mu", "¹": "^{1}", "²": "^{2}", "³": "^{3}", "⁻": "^{-}", "₀": "_{0}", "₁": "_{1}",
    "₂": "_{2}", "★": r"\star", "⋆": r"\star", "∅": r"\emptyset", "ℓ": r"\ell", "∼": r"\sim", "¬": r"\neg",
    "§": r"\S", "¶": r"\P", "£": r"\pounds",
    "•": r"\bullet", "½": "1/2", "¼": "1/4", "¾": "3/4",
}  # fmt: skip
TEXT = {
    "–": "--", "—": "---", "‘": "`", "’": "'", "“": "``", "”": "''", "„": ",,", "«": "''", "»": "''", "…": r"\dots{}",
    "ß": r"\ss{}", "ø": r"\o{}", "Ø": r"\O{}", "æ": r"\ae{}", "Æ": r"\AE{}", "œ": r"\oe{}", "Œ": r"\OE{}",
    "ł": r"\l{}", "Ł": r"\L{}", "ı": r"\i{}", "©": "(c)", "\u00a0": "~", "\u2009": r"\,", "\u202f": r"\,",
    "‰": r"\ensuremath{^{0}/_{00}}",
    "€": "EUR",
}  # fmt: skip
ACCENTS = {
    "\u0300": "`", "\u0301": "'", "\u0302": "^", "\u0303": "~", "\u0308": '"', "\u030b": "H", "\u030a": "r",
    "\u0327": "c", "\u030c": "v", "\u0306": "u", "\u0304": "=", "\u0307": ".", "\u0323": "d", "\u0331": "b",
}  # fmt: skip

_GREEK = re.compile("GREEK (SMALL|CAPITAL) LETTER ([A-Z]+)")


def escaped(text: str) -> str:
    """Return LaTeX that prints ``text``: specials escaped, accents and mathematical signs in TeX's own words.

    What no font of plain LaTeX has, such as a Chinese character, is written as its code point, [U+4E2D]: it is seen,
    and can be replaced by hand. Control characters are blanks.
    """
    return "".join(map(_one, text.replace("--", "-\0-").replace("--", "-\0-"))).replace("\0", "{}")


def signs(text: str) -> str:
    """Return LaTeX as it is, but for what is not ASCII: that is in TeX's own words."""
    return "".join(one if one.isascii() else _one(one) for one in text)


def typeset(text: str) -> str:
    """Return a sentence as LaTeX: escaped, n and S as mathematics, no break before a %, some in long names."""
    found = re.sub(r"\b([nS]) = ", r"$\1$~=~", escaped(text))
    found = re.sub(r"([0-9]) \\%", r"\1~\\%", found)
    return re.sub(r"(?<=[a-z]{3})(\.|\\_)(?=[A-Za-z]{3})", r"\1\\allowbreak{}", found)


def _one(character: str) -> str:
    if character == "\0":  # between hyphens that are to stay two
        return character
    if character in SPECIAL:
        return SPECIAL[character]
    if character in MATHS:
        return rf"\ensuremath{{{MATHS[character]}}}"
    if character in TEXT:
        return TEXT[character]
    if unicodedata.category(character) in ("Cc", "Zl", "Zp", "Zs"):
        return " "
    return character if character.isascii() else _greek(character) or _accented(character) or _code(character)


def _greek(character: str) -> str:
    """Return a Greek letter as mathematics; nothing for another character, or one that TeX has no name for."""
    found = _GREEK.fullmatch(unicodedata.name(character, ""))
    name = "" if found is None else found[2].lower().replace("lamda", "lambda")
    if found is None or name not in (GREEK if found[1] == "SMALL" else CAPITALS):
        return ""
    return rf"\ensuremath{{\{name if found[1] == 'SMALL' else name.capitalize()}}}"


def _accented(character: str) -> str:
    """Return a letter with one accent; nothing where it is none that TeX can put together."""
    letter, *accents = list(unicodedata.normalize("NFD", character))
    if not letter.isascii() or len(accents) != 1 or accents[0] not in ACCENTS:
        return ""
    return rf"\{ACCENTS[accents[0]]}{{{letter}}}"


def _code(character: str) -> str:
    return f"[U+{ord(character):04X}]"
