"""A figure as files: the same input gives the same bytes, with fonts embedded as TrueType.

Of a figure set in LaTeX the pdf is the same but for the fonts: matplotlib 3.11 names their subsets by chance.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import FigureBase

from fitlab.plots.drawn import Drawn, drawn, figure_under
from fitlab.plots.paper import TRUETYPE
from fitlab.records import finite

NO_TIMES: dict[str, dict[str, str | None]] = {
    "png": {"Software": None},
    "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
}
DPI = 200
LIBRARIES = ("fitlab", "matplotlib", "numpy", "pandas")


def save(figure: FigureBase | Axes, to: str | Path, table: pd.DataFrame | None = None) -> list[Path]:
    """Write ``to``.png and ``to``.pdf; of what fitlab drew ``to``.csv and ``to``.json; return their paths.

    The csv is what is drawn, number by number (of several panels ``to``-1.csv, ``to``-2.csv …); the json says where it
    is from: caption, sweep, digest of its spec, Configs with their MLflow runs, seeds, method and level of intervals,
    versions. table: instead of what fitlab drew. Folders are made. No setting of the user's is changed.
    """
    stem = Path(to)
    stem.parent.mkdir(parents=True, exist_ok=True)
    records, whole = drawn(figure), figure_under(figure)
    written = []
    with rc_context({"pdf.fonttype": TRUETYPE, "ps.fonttype": TRUETYPE}):
        for kind, metadata in NO_TIMES.items():
            written.append(_beside(stem, f".{kind}"))
            whole.savefig(written[-1], dpi=DPI, metadata=metadata)
    tables = [table] if table is not None else [record.table() for record in records]
    for place, one in enumerate(tables, 1):
        written.append(_beside(stem, f"-{place}.csv" if len(tables) > 1 else ".csv"))
        one.to_csv(written[-1], index=False)
    if records:
        written.append(_beside(stem, ".json"))
        text = json.dumps(finite(_said(records)), indent=1, ensure_ascii=False) + "\n"
        written[-1].write_text(text, encoding="utf-8")
    return written


def _beside(stem: Path, ending: str) -> Path:
    """Return a path with an ending; a stem may have dots of its own."""
    return stem.with_name(f"{stem.name}{ending}")


def _said(records: Sequence[Drawn]) -> dict[str, Any]:
    """Return what the json says: of each record its caption and where it is from; no times."""
    panels = [
        {"caption": one.caption, "rows": len(one.table()), "origin": None if one.origin is None else one.origin.plain}
        for one in records
    ]
    caption = " ".join(dict.fromkeys(one.caption for one in records))
    return {"caption": caption, "panels": panels, "versions": {name: version(name) for name in LIBRARIES}}
