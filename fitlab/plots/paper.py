"""Settings of venues, as data, applied in a context: widths, font sizes and fonts that fit the page.

Sizes of conferences and journals are tueplots' (Krämer et al.); those of Nature and IEEE are of their own guides.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

from cycler import cycler
from matplotlib import font_manager, rc_context
from tueplots import figsizes, fontsizes

from fitlab.plots.shared import SERIES, SMALLEST, nothing

GOLDEN = 0.618  # height of a figure as a share of its width (tueplots')
MM = 1 / 25.4  # inches
INCHES = 100  # no page is wider or higher
TRUETYPE = 42  # fonts are embedded whole, never as Type 3, which publishers refuse
GLYPHS = "DejaVu Sans"  # comes with matplotlib, and has nearly all
Face = Literal["times", "computer modern", "palatino", "sans"]
FACES: Mapping[Face, tuple[str, tuple[str, ...], str]] = {  # family, what would do from left to right, mathematics
    "times": (
        "serif",
        ("Times New Roman", "Times", "TeX Gyre Termes", "Nimbus Roman", "Liberation Serif", "STIXGeneral"),
        "stix",
    ),
    "computer modern": ("serif", ("CMU Serif", "Latin Modern Roman", "STIXGeneral"), "cm"),
    "palatino": ("serif", ("Palatino", "Palatino Linotype", "TeX Gyre Pagella", "STIXGeneral"), "stix"),
    "sans": ("sans-serif", ("Helvetica", "Arial", "TeX Gyre Heros", "Nimbus Sans", "Liberation Sans", "DejaVu Sans"),
             "dejavusans"),
}  # fmt: skip
LATEX: Mapping[Face, str] = {
    "times": r"\usepackage{times}",
    "computer modern": "",
    "palatino": r"\usepackage{mathpazo}",
    "sans": r"\usepackage{helvet}\renewcommand{\familydefault}{\sfdefault}\usepackage{sansmath}\sansmath",
}


@dataclass(frozen=True)
class Venue:
    """A page: how wide a column and the text are, in inches, and its type."""

    column: float
    text: float  # as wide as the column where there is one column
    size: float  # of text, points
    small: float  # of ticks and legends
    face: Face = "times"


def _tueplots(name: str, face: Face = "times") -> Venue:
    """Return a venue as tueplots has it."""
    half, full = (getattr(figsizes, f"{name}_{part}", None) or getattr(figsizes, name) for part in ("half", "full"))
    sizes = getattr(fontsizes, name)()
    column, text = (float(one()["figure.figsize"][0]) for one in (half, full))
    return Venue(column, text, sizes["font.size"], max(SMALLEST, sizes["legend.fontsize"]), face)


VENUES: Mapping[str, Venue] = {
    **{
        name: _tueplots(name)
        for name in ("neurips2022", "neurips2023", "neurips2024", "icml2022", "icml2024", "iclr2023", "iclr2024",
                     "cvpr2024", "aaai2024", "uai2023")
    },
    **{
        name: _tueplots(name, "computer modern")
        for name in ("aistats2022", "aistats2023", "aistats2025", "jmlr2001", "tmlr2023", "eccv2024")
    },
    "colm2026": _tueplots("colm2026", "palatino"),
    "nature": Venue(89 * MM, 183 * MM, 7, 6, "sans"),  # guide to authors: 89 and 183 mm, 5 to 7 pt, sans-serif
    "ieee": Venue(3.5, 7.16, 8, 7),  # author centre: 3.5 and 7.16 in, 8 pt and more
}  # fmt: skip


@contextmanager
def paper(
    venue: str = "neurips2024",
    width: float | Literal["column", "text"] = "column",
    *,
    height: float | None = None,
    usetex: bool = False,
) -> Iterator[None]:
    """Draw figures for a venue within ``with``; afterwards all settings are as before.

    venue: one of VENUES, or a name without its year for the newest. width: ``column``, ``text``, or inches.
    height: inches; default: .618 of the width. usetex: set text in LaTeX, which must be installed, with the fonts of
    the venue; names are set as they stand, signs that it does not have as code points. Without it, the nearest font
    that is installed is taken, and no warning is printed.
    Raises ValueError for a venue, a width or a height that there is not.
    """
    with rc_context(style(venue, width, height=height, usetex=usetex)):  # type: ignore[arg-type]  # names as text
        yield


def style(
    venue: str, width: float | str = "column", *, height: float | None = None, usetex: bool = False
) -> dict[str, Any]:
    """Return the settings of a venue for ``matplotlib.rc_context``. See ``paper``."""
    page = VENUES[_known(venue)]
    across = _across(page, width)
    if height is not None and not 0 < height < INCHES:
        raise nothing(f"height is inches above 0, not {height}")
    line = 0.6
    return {
        "figure.figsize": (across, GOLDEN * across if height is None else height),
        "figure.constrained_layout.use": True,
        "figure.dpi": 150,
        "savefig.pad_inches": 0.015,
        "font.size": page.size,
        "axes.labelsize": page.size,
        "axes.titlesize": page.size,
        "legend.fontsize": page.small,
        "legend.title_fontsize": page.small,
        "xtick.labelsize": page.small,
        "ytick.labelsize": page.small,
        "axes.linewidth": line,
        "xtick.major.width": line,
        "ytick.major.width": line,
        "xtick.major.size": 2.5,
        "ytick.major.size": 2.5,
        "lines.linewidth": 1.2,
        "lines.markersize": 4,
        "axes.prop_cycle": cycler(color=SERIES),
        "pdf.fonttype": TRUETYPE,
        "ps.fonttype": TRUETYPE,
        "svg.fonttype": "none",
        "svg.hashsalt": "fitlab",
        **_fonts(page.face, usetex),
    }


def _known(venue: str) -> str:
    """Return the name of a venue; without its year the newest. Raises ValueError."""
    wanted = str(venue).lower()
    found = sorted(name for name in VENUES if name == wanted or name.rstrip("0123456789") == wanted)
    if found:
        return found[-1]
    near = difflib.get_close_matches(wanted, VENUES, n=1)
    hint = f"; did you mean {near[0]}?" if near else ""
    raise ValueError(f"venue must be one of {', '.join(VENUES)}, got {venue!r}{hint}")


def _across(page: Venue, width: float | str) -> float:
    match width:
        case "column":
            return page.column
        case "text" | "full":
            return page.text
        case float() | int() if 0 < width < INCHES:
            return float(width)
    raise nothing(f"width is column, text, or inches above 0, not {width!r}")


def _fonts(face: Face, usetex: bool) -> dict[str, Any]:
    """Return settings of fonts of which one is installed: matplotlib warns about each that it does not find.

    What a font has no glyph for, as Latin Modern has none for δ, is taken from those that matplotlib brings along.
    """
    family, names, mathematics = FACES[face]
    if usetex:
        return {"text.usetex": True, "font.family": family, "text.latex.preamble": LATEX[face]}
    installed = {*font_manager.get_font_names()}
    found = [name for name in names if name in installed]
    return {
        "text.usetex": False,
        "font.family": list(dict.fromkeys([found[0], found[-1], GLYPHS])),
        f"font.{family}": found,
        "mathtext.fontset": mathematics,
    }
