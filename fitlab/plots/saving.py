"""A figure as files: the same input gives the same bytes, with fonts embedded as TrueType."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from matplotlib import rc_context
from matplotlib.figure import Figure

TRUETYPE = 42
NO_TIMES: dict[str, dict[str, str | None]] = {
    "png": {"Software": None},
    "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
}
DPI = 200


def save(figure: Figure, to: str | Path, table: pd.DataFrame | None = None) -> list[Path]:
    """Write ``to``.png, ``to``.pdf, and, of what is drawn, ``to``.csv; return their paths.

    Folders are made. No setting of the user's is changed.
    """
    stem = Path(to)
    stem.parent.mkdir(parents=True, exist_ok=True)
    written = []
    with rc_context({"pdf.fonttype": TRUETYPE}):
        for kind, metadata in NO_TIMES.items():
            written.append(stem.with_name(f"{stem.name}.{kind}"))
            figure.savefig(written[-1], dpi=DPI, metadata=metadata)
    if table is not None:
        written.append(stem.with_name(f"{stem.name}.csv"))
        table.to_csv(written[-1], index=False)
    return written
