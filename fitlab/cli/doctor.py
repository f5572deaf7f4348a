"""``fitlab doctor``: what is here, what is missing or damaged, what to do about it, and what was done."""

from __future__ import annotations

import os
import platform
import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from rich.console import Console
from rich.table import Table

from fitlab.cli.output import console
from fitlab.errors import FitlabError, StoreError
from fitlab.store import Store
from fitlab.upkeep.examine import OnProgress, examine
from fitlab.upkeep.finding import Finding, Severity, megabytes

Also = Callable[[Store, list[Finding]], list[Finding]]  # looks elsewhere, or mends what was found


def findings(
    root: Path, quick: bool = False, on_progress: OnProgress = lambda _, __: None, also: Sequence[Also] = ()
) -> dict[str, Any]:
    """Return versions and the state of the store as plain data; ``ok`` is false where fitlab cannot work.

    quick, on_progress: see ``upkeep.examine``. also: what else is looked at, or done about what was found.
    """
    packages = [_package(Requirement(text)) for text in requires("fitlab") or ()]
    known = [package for package in packages if package is not None]
    store = _store(root, quick, on_progress, also)
    return {
        "ok": store["ok"] and all(package["ok"] for package in known),
        "fitlab": version("fitlab"),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "processors": os.cpu_count(),
        "packages": known,
        "store": store,
        "tracking": os.environ.get("MLFLOW_TRACKING_URI") or "SQLite in the store",
    }


def exit_code(found: dict[str, Any]) -> int:
    """Return 3 where fitlab cannot work, 1 where something is damaged, lost or left behind, else 0."""
    return 3 if not found["ok"] else 1 if found["store"]["problems"] else 0


def _package(wanted: Requirement) -> dict[str, Any] | None:
    if wanted.marker is not None and not wanted.marker.evaluate({"extra": ""}):
        return None
    try:
        found = version(wanted.name)
    except PackageNotFoundError:
        return {"name": wanted.name, "wanted": str(wanted.specifier), "found": None, "ok": False}
    return {"name": wanted.name, "wanted": str(wanted.specifier), "found": found, "ok": found in wanted.specifier}


def _store(root: Path, quick: bool, on_progress: OnProgress, also: Sequence[Also]) -> dict[str, Any]:
    said: dict[str, Any] = {"path": os.path.abspath(root), "quick": quick}
    if not (root / "sweeps").is_dir() and not (root / "fits").is_dir():
        nearest = next(folder for folder in (root.absolute(), *root.absolute().parents) if folder.exists())
        said["note"] = "no sweep yet"
        return _with(
            said, [] if _writable(nearest) else [_fatal(f"{nearest} cannot be written: choose another --store")]
        )
    found: list[Finding] = []
    try:
        store = Store.at(root)
        found, fits = examine(store, quick, on_progress)
        said |= {"sweeps": store.names(), "fits": len(fits.sound), "bytes": fits.bytes}
        for more in also:
            found = more(store, found)
    except (OSError, StoreError) as error:
        found.append(_fatal(str(error)))
    if not _writable(root):
        found.append(_fatal(f"{root} cannot be written"))
    said["free_gb"] = round(shutil.disk_usage(root).free / 1e9, 1)
    return _with(said, found)


def _with(said: dict[str, Any], found: Sequence[Finding]) -> dict[str, Any]:
    problems = [f"{one.said}; {one.advice}" if one.advice else one.said for one in found if one.open]
    ok = not any(one.severity is Severity.FATAL for one in found)
    return {**said, "ok": ok, "problems": problems, "findings": [asdict(one) for one in found]}


def _fatal(said: str) -> Finding:
    return Finding("unusable", Severity.FATAL, said)


def _writable(folder: Path) -> bool:
    try:
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def unreachable(error: FitlabError) -> Finding:
    """Return the finding that a tracking server did not answer."""
    return Finding("server", Severity.PROBLEM, str(error))


def show(found: dict[str, Any]) -> None:
    """Print findings for people."""
    to = console(soft_wrap=True)
    to.print(f"fitlab {found['fitlab']}, Python {found['python']}, {found['platform']}")
    table = Table(box=None, padding=(0, 1))
    for package in found["packages"]:
        verdict = "ok" if package["ok"] else "missing" if package["found"] is None else "not the version wanted"
        table.add_row(package["name"], package["found"] or "–", package["wanted"], verdict)
    to.print(table)
    store = found["store"]
    names = store.get("note") or ", ".join(store.get("sweeps", ())) or "no sweeps"
    to.print(f"store {store['path']}: {names}")
    if "fits" in store:
        read = "heads read, checksums left out" if store["quick"] else "read whole, checksums fit"
        to.print(f"{store['fits']} sound Fits, {megabytes(store['bytes'])} ({read})")
    to.print(f"tracking: {found['tracking']}")
    for one in store["findings"]:
        _show(one, to)
    to.print("all is well" if exit_code(found) == 0 else "see above")


def _show(one: dict[str, Any], to: Console) -> None:
    """Print a finding: what, then what was done about it or is to be done."""
    remark = one["severity"] == Severity.REMARK
    word, style = ("note", "") if remark else ("mended", "green") if one["mended"] else ("problem", "yellow")
    done = one["mended"] or (f"left: {one['left']}" if one["left"] else one["advice"])
    to.print(f"{word}: {one['said']}{f': {done}' if done else ''}", style=style)
