"""Reports of sweeps in a store: with the text of their specs, and where they were published."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from fitlab.data import Arrays
from fitlab.reporting.logged import Logged
from fitlab.reporting.written import Report
from fitlab.reporting.written import report as written
from fitlab.runner.api import load
from fitlab.store import Store
from fitlab.sweep import Sweep
from fitlab.tracking.links import is_logged


def report(
    sweep: Sweep | str | Sequence[str],
    out: str | Path | None = None,
    *,
    store: str | Path = "mlruns",
    data: Arrays | None = None,
) -> Report:
    """Write the report of a sweep: report.html, which stands alone, report.md with figures/, table.tex, methods.tex.

    sweep: a name in the store; several: as one; or a Sweep. out: a folder; default: ``STORE/reports/NAME``.
    data: as for ``load``. Raises StoreError, and SpecError where several cannot be compared.
    """
    if isinstance(sweep, Sweep):
        folder = Path(store) / "reports" / sweep.spec.name if out is None else Path(out)
        return written(sweep, folder)
    names = [sweep] if isinstance(sweep, str) else [*dict.fromkeys(sweep)]
    place, found = Store.at(store), load(names, store, data=data)
    folder = place.root / "reports" / found.spec.name if out is None else Path(out)
    sources = [str(place.sweep_record(name).get("source", {}).get("text", "")) for name in names]
    text = "\n---\n".join(source.strip() for source in sources if source.strip())
    return written(found, folder, source=text or None, logged=_logged(place, names, found))


def _logged(place: Store, names: Sequence[str], sweep: Sweep) -> Logged | None:
    """Return where a sweep was published last; None where it was not, and of several, which lie in several places."""
    noted = place.published(names[0]) if len(names) == 1 else None
    return None if noted is None else is_logged(noted["uri"], noted["experiment"], sweep.runs, noted.get("view"))
