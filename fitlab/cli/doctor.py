"""``fitlab doctor``: what is here, what is missing, what to do about it."""

from __future__ import annotations

import os
import platform
import shutil
import sqlite3
import tempfile
from contextlib import closing
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

from packaging.requirements import Requirement
from rich.console import Console
from rich.table import Table

from fitlab.errors import StoreError
from fitlab.store import Store
from fitlab.tracking.links import ARTIFACT
from fitlab.tracking.schema import obstacle


def findings(root: Path) -> dict[str, Any]:
    """Return versions and the state of the store as plain data; ``ok`` is false where fitlab cannot work."""
    packages = [_package(Requirement(text)) for text in requires("fitlab") or ()]
    known = [package for package in packages if package is not None]
    store = _store(root)
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


def _package(wanted: Requirement) -> dict[str, Any] | None:
    if wanted.marker is not None and not wanted.marker.evaluate({"extra": ""}):
        return None
    try:
        found = version(wanted.name)
    except PackageNotFoundError:
        return {"name": wanted.name, "wanted": str(wanted.specifier), "found": None, "ok": False}
    return {"name": wanted.name, "wanted": str(wanted.specifier), "found": found, "ok": found in wanted.specifier}


def _store(root: Path) -> dict[str, Any]:
    said: dict[str, Any] = {"path": str(root.absolute()), "ok": True, "problems": []}
    if not (root / "sweeps").is_dir():
        nearest = next(folder for folder in (root.absolute(), *root.absolute().parents) if folder.exists())
        said["note"] = "no sweep yet"
        said["ok"] = _writable(nearest)
        said["problems"] += [] if said["ok"] else [f"{nearest} cannot be written: choose another --store"]
        return said
    try:
        store = Store.at(root)
        said["sweeps"] = store.names()
        said["fits"] = len(list((root / "fits").glob("*.safetensors")))
        said["problems"] += [
            f"fits/{name}: damaged; its job is trained again by its sweep" for name in store.set_aside()
        ]
        said["problems"] += [f"{path}: left by a killed process; delete it" for path in root.rglob(".*.tmp")]
        for name in store.names():
            try:
                store.sweep_record(name)
            except StoreError as error:
                said["problems"].append(str(error))
        if store.database.exists():
            said["mlflow"] = _database(store.database)
            said["problems"] += [one for one in (obstacle(store.database), _missing(store)) if one]
    except (OSError, StoreError) as error:
        said["ok"] = False
        said["problems"].append(str(error))
    if not _writable(root):
        said["ok"] = False
        said["problems"].append(f"{root} cannot be written")
    said["free_gb"] = round(shutil.disk_usage(root).free / 1e9, 1)
    return said


def _writable(folder: Path) -> bool:
    try:
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def _database(path: Path) -> str:
    try:
        connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
        try:
            mode = connection.execute("PRAGMA journal_mode").fetchone()[0]
            runs = connection.execute("SELECT count(*) FROM runs").fetchone()[0]
        finally:
            connection.close()
    except sqlite3.Error as error:
        return f"cannot be read ({error}); move it away and `fitlab publish NAME` fills a new one"
    return f"{runs} runs, journal mode {mode}"


def _missing(store: Store) -> str | None:
    """Say of how many published Fits the file is gone from this store; of runs whose files lie elsewhere nothing."""
    query = (
        "SELECT artifact_uri FROM runs JOIN tags USING (run_uuid) WHERE tags.key = 'fitlab.kind' "
        "AND tags.value = 'fit' AND lifecycle_stage = 'active' AND status != 'RUNNING'"
    )
    try:
        with closing(sqlite3.connect(f"file:{store.database}?mode=ro", uri=True)) as connection:
            places = [Path(url2pathname(urlsplit(uri).path)) for (uri,) in connection.execute(query)]
    except sqlite3.Error:
        return None  # said already
    here = [place for place in places if store.artifacts in place.parents]
    gone = sum(not (place / ARTIFACT).is_file() for place in here)
    return (
        f"files of {gone} runs are missing below {store.artifacts}; `fitlab publish NAME` logs them again"
        if gone
        else None
    )


def show(found: dict[str, Any]) -> None:
    """Print findings for people."""
    to = Console()
    to.print(f"fitlab {found['fitlab']}, Python {found['python']}, {found['platform']}", highlight=False)
    table = Table(box=None, padding=(0, 1))
    for package in found["packages"]:
        verdict = "ok" if package["ok"] else "missing" if package["found"] is None else "not the version wanted"
        table.add_row(package["name"], package["found"] or "–", package["wanted"], verdict)
    to.print(table)
    store = found["store"]
    to.print(
        f"store {store['path']}: {store.get('note') or ', '.join(store.get('sweeps', ())) or 'no sweeps'}",
        highlight=False,
    )
    if "mlflow" in store:
        to.print(f"mlflow.db: {store['mlflow']}", highlight=False)
    to.print(f"tracking: {found['tracking']}", highlight=False)
    for problem in store["problems"]:
        to.print(f"problem: {problem}", style="yellow", highlight=False, markup=False)
    to.print("all is well" if found["ok"] and not store["problems"] else "see above", highlight=False)
