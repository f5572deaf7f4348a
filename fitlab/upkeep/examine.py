"""What is wrong with a store, looked for and left as it is."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from fitlab.errors import DamagedError, StoreError
from fitlab.records import Provenance
from fitlab.runner.execute import git_state
from fitlab.runner.workers import here
from fitlab.store import Store
from fitlab.tracking import database, schema
from fitlab.tracking.content import sweep_identity
from fitlab.upkeep import quarantine
from fitlab.upkeep.finding import Finding, Severity, megabytes
from fitlab.upkeep.unused import FIT_FILE, unused

FATAL, PROBLEM, REMARK = Severity.FATAL, Severity.PROBLEM, Severity.REMARK
OnProgress = Callable[[int, int], None]
FOLDERS = ("", "fits", "sweeps", "optuna", "published")  # where files are written under another name first
ANEW = "move it away, and `fitlab publish NAME` fills a new one"
TRIAL = 4  # the operation of a line in Optuna's journal that makes a trial


@dataclass
class Fits:
    """What was found of the files of Fits."""

    bytes: int = 0
    sound: set[str] = field(default_factory=set)  # digests of jobs
    damaged: list[str] = field(default_factory=list)  # names of files
    unreadable: dict[str, str] = field(default_factory=dict)  # names of files -> why, such as a newer version
    foreign: list[str] = field(default_factory=list)
    made: list[Provenance] = field(default_factory=list)


def examine(
    store: Store, quick: bool = False, on_progress: OnProgress = lambda _, __: None
) -> tuple[list[Finding], Fits]:
    """Return what was found, and what is there of Fits. Writes nothing.

    quick: read no more of Fits than their heads and curves, and leave out SQLite's check of the database.
    on_progress: called with how many files of Fits were read, and how many there are.
    """
    running = store.running_sweeps()
    fits = read_fits(store, quick, on_progress)
    found = [Finding("running", REMARK, f"{name} is being run by {who}", sweep=name) for name, who in running.items()]
    found += [*_leftovers(store), *_files(fits), *_set_aside(store)]
    for name in store.names():
        found += _sweep(store, name, name in running, fits)
    found += [*_journals_of_nothing(store), *_unused(store), *_mlflow(store, running, check=not quick)]
    return [*found, *environment(fits.made)], fits


# ── files ───────────────────────────────────────────────────────────────────────────────────────────────────


def read_fits(store: Store, quick: bool, on_progress: OnProgress) -> Fits:
    """Read every file of a Fit, or its head alone, and sort it by what became of that."""
    found = Fits()
    paths = store.listed("fits")
    for done, path in enumerate(paths, 1):
        _read_fit(store, path, quick, found)
        on_progress(done, len(paths))
    return found


def _read_fit(store: Store, path: Path, quick: bool, found: Fits) -> None:
    if path.name.startswith(".") or path.name.endswith(".corrupt"):
        return  # said elsewhere
    if not FIT_FILE.fullmatch(path.name) or path.is_symlink() or not path.is_file():
        found.foreign.append(path.name)
        return
    try:
        fit = store.read(path.stem, head=quick)
        found.bytes += path.stat().st_size
    except (StoreError, OSError) as error:
        if path.exists():  # else it has just been removed
            found.unreadable[path.name] = str(error)
        return
    if fit is not None:
        found.sound.add(path.stem)
        found.made += [fit.provenance] if fit.provenance is not None else []
    elif path.exists():
        found.damaged.append(path.name)


def leftovers(store: Store) -> Iterator[tuple[Path, str]]:
    """Yield what writers left behind that were killed, each with the lock that whoever writes it holds."""
    for folder in FOLDERS:
        for path in sorted((store.root / folder).glob(".*.tmp*")):
            lock = _lock_of(folder, path)
            if not path.is_dir() and not store.running(lock) and path.exists():
                yield path, lock


def _lock_of(folder: str, path: Path) -> str:
    """Return the lock under which a temporary file is written: .NAME.json.PID.RANDOM.tmp and the like."""
    match folder:
        case "":
            return ".mlflow"
        case "fits":
            return ".fits"
        case _:
            ending = ".journal." if folder == "optuna" else ".json."
            return path.name.removeprefix(".").rpartition(ending)[0] or ".fits"


def _leftovers(store: Store) -> Iterator[Finding]:
    paths = tuple(str(path.relative_to(store.root)) for path, _ in leftovers(store))
    if paths:
        said = f"{_some(len(paths), 'file')} left by killed processes: {_few(paths)}"
        yield Finding("leftover", PROBLEM, said, "--fix deletes them", True, paths=paths)


def _files(fits: Fits) -> Iterator[Finding]:
    damaged = tuple(f"fits/{name}" for name in fits.damaged)
    if damaged:
        said = f"{_some(len(damaged), 'Fit')} damaged, or no Fit of that job: {_few(damaged)}"
        advice = "their sweep sets them aside and trains them again; --fix moves them into quarantine"
        yield Finding("damaged", PROBLEM, said, advice, True, paths=damaged)
    for name, why in fits.unreadable.items():
        yield Finding("unreadable", PROBLEM, why, paths=(f"fits/{name}",))
    foreign = tuple(f"fits/{name}" for name in fits.foreign)
    if foreign:
        said = f"{_some(len(foreign), 'file')} that fitlab did not write: {_few(foreign)}"
        yield Finding("foreign", PROBLEM, said, "nothing reads them; move them away", paths=foreign)


def _set_aside(store: Store) -> Iterator[Finding]:
    names = tuple(f"fits/{name}" for name in store.set_aside())
    if names:
        said = f"{_some(len(names), 'Fit')} damaged and set aside; each is trained again by its sweep: {_few(names)}"
        yield Finding("set_aside", PROBLEM, said, "--fix moves them into quarantine", True, paths=names)
    count, total = quarantine.size(store)
    if count:
        said = f"{quarantine.QUARANTINE}/ has {_some(count, 'damaged file')}, {megabytes(total)}"
        yield Finding("quarantine", REMARK, said, "nothing reads them; delete it when you have looked")


# ── sweeps ──────────────────────────────────────────────────────────────────────────────────────────────────


def _sweep(store: Store, name: str, running: bool, fits: Fits) -> Iterator[Finding]:
    path = (f"sweeps/{name}.json",)
    try:
        record = store.sweep_record(name)
    except StoreError as error:
        mendable = not running and isinstance(error, DamagedError)
        advice = "--fix moves it into quarantine, so that other commands work until it is written anew"
        yield Finding("record", PROBLEM, str(error), advice if mendable else "", mendable, name, path)
        return
    if running:
        return
    wanted = [fit["digest"] for one in record["configs"] for fit in one["fits"]]
    lost = sum(digest not in fits.sound for digest in wanted)
    if not record.get("finished", True):
        said = f"{name} was begun, is not finished, and nobody runs it: {len(wanted) - lost} of its Fits are there"
        yield Finding("stale", REMARK, said, "the same `fitlab sweep SPEC` continues it", sweep=name)
    elif lost:
        said = f"{name} is finished, but {lost} of its {len(wanted)} Fits are lost"
        yield Finding("lost", PROBLEM, said, "`fitlab sweep SPEC` trains them again", sweep=name)
    elif wrong := _journal(store.journal_path(name), len(record["configs"])):
        journal = (f"optuna/{name}.journal",)
        yield Finding("journal", PROBLEM, f"{name}: {wrong}", "--fix replays the sweep", True, name, journal)
    yield from _unpublished(store, name)


def _unpublished(store: Store, name: str) -> Iterator[Finding]:
    try:
        sweep = store.load(name)
    except StoreError as error:
        yield Finding("record", PROBLEM, str(error), sweep=name, paths=(f"sweeps/{name}.json",))
        return
    noted = store.published(name)
    if sweep.fits and (noted is None or noted["identity"] != sweep_identity(sweep)):
        said = "is not in MLflow" if noted is None else "is in MLflow as it was earlier"
        yield Finding("unpublished", REMARK, f"{name} {said}", f"`fitlab publish {name}`", sweep=name)


def _journal(path: Path, configs: int) -> str | None:
    """Say what is wrong with the journal of a finished sweep."""
    try:
        lines = path.read_bytes().splitlines(keepends=True)
        trials = sum(json.loads(line)["op_code"] == TRIAL for line in lines)
    except FileNotFoundError:
        return "its Optuna journal is missing"
    except OSError as error:
        return f"its Optuna journal cannot be read: {error}"
    except (ValueError, TypeError, KeyError, RecursionError):
        return "its Optuna journal is damaged"
    whole = trials >= configs and lines[-1:] and lines[-1].endswith(b"\n")
    return None if whole else f"its Optuna journal has {trials} trials of {configs} Configs"


def _journals_of_nothing(store: Store) -> Iterator[Finding]:
    names = {path.stem for path in (store.root / "optuna").glob("[!.]*.journal")} - {*store.names()}
    paths = tuple(f"optuna/{name}.journal" for name in sorted(names) if not store.running(name))
    if paths:
        said = f"{_some(len(paths), 'Optuna journal')} of no sweep: {_few(paths)}"
        yield Finding("journal_of_nothing", REMARK, said, "delete them if you gave these sweeps up", paths=paths)


def _unused(store: Store) -> Iterator[Finding]:
    try:
        found = unused(store)
    except StoreError as error:
        yield Finding("unused", REMARK, f"which Fits no sweep uses is not known: {error}")
        return
    if found:
        total, kept = sum(one.bytes for one in found), sum(one.kept is not None for one in found)
        said = f"{_some(len(found), 'Fit')} that no sweep uses, {megabytes(total)}"
        said += f"; {kept} of them may be wanted by a sweep that is not finished" if kept else ""
        yield Finding("unused", REMARK, said, "`fitlab gc` lists them", detail={"fits": len(found), "bytes": total})


# ── MLflow ──────────────────────────────────────────────────────────────────────────────────────────────────


def _mlflow(store: Store, running: Mapping[str, str], check: bool) -> Iterator[Finding]:
    """Yield what is wrong with the store's own database; a tracking server looks after itself, but for our runs."""
    if not store.database.exists():
        return
    path = (store.database.name,)
    if obstacle := schema.obstacle(store.database):
        yield Finding("schema", PROBLEM, obstacle, paths=path)
    try:
        state = database.read(store.database, check)
    except sqlite3.Error as error:
        said = f"mlflow.db cannot be read ({error})"
        # SQLite calls operational what is about the machine; but also a database that has other tables
        outside = isinstance(error, sqlite3.OperationalError) and "no such table" not in str(error)
        advice = "look whether the disk is full, or another program holds it" if outside else ANEW
        yield Finding("database", PROBLEM, said, advice, paths=path)
        return
    said = f"mlflow.db has {state.runs} runs, journal mode {state.journal_mode}"
    yield Finding("database", REMARK, said, paths=path)
    if state.damage is not None:
        said = f"mlflow.db is damaged ({state.damage})"
        yield Finding("database", PROBLEM, said, ANEW, paths=path)
    ownerless = {name: count for name, count in state.running.items() if name not in running}
    yield from left_running(ownerless, blocked=obstacle is not None)
    for name, count in state.files_gone.items():
        said = f"files of {count} runs of {name} are not where MLflow has them"
        mendable = name not in running and name in store.names() and obstacle is None
        yield Finding("files_gone", PROBLEM, said, f"`fitlab publish {name}` mends that", mendable, name)


def left_running(ownerless: Mapping[str, int], blocked: bool = False) -> Iterator[Finding]:
    """Yield what is to be said of runs that are RUNNING though nobody runs their sweep."""
    for name, count in ownerless.items():
        said = f"{_some(count, 'run')} of {name} in MLflow RUNNING, and nobody runs {name}"
        advice = f"`fitlab publish {name}` completes them; --fix does, and ends the rest as KILLED"
        yield Finding("left_running", PROBLEM, said, advice, not blocked, name, detail={"runs": count})


# ── the environment ─────────────────────────────────────────────────────────────────────────────────────────


def environment(made: list[Provenance]) -> Iterator[Finding]:
    """Yield one remark where Fits were made with something else than is here: versions, platform, CPU, BLAS, commit."""
    differs = differences(made)
    if differs:
        lines = [f"{name}: {_others(one)} (here {one['here'] or 'unknown'})" for name, one in differs.items()]
        said = "Fits were made with something else than is here: " + "; ".join(lines)
        advice = "`fitlab rerun DIGEST --verify` says whether it matters"
        yield Finding("environment", REMARK, said, advice, detail=differs)


def differences(made: list[Provenance]) -> dict[str, dict[str, object]]:
    """Return what differs from here: {versions, platform, cpu, blas, commit …: {here, fits: {value: how many}}}."""
    commit, dirty = git_state()
    at_hand = _words(here(), commit, dirty)
    counts: dict[str, Counter[str]] = {name: Counter() for name in at_hand}
    for one in made:
        for name, value in _words(one, one.commit, one.dirty).items():
            counts.setdefault(name, Counter())[value] += 1
    found: dict[str, dict[str, object]] = {}
    for name, values in counts.items():
        others = {value: count for value, count in values.most_common() if value != at_hand.get(name)}
        if others:
            found[name] = {"here": at_hand.get(name), "fits": others}
    return found


def _words(made: Provenance, commit: str | None, dirty: bool | None) -> dict[str, str]:
    state = {} if commit is None else {"commit": f"{commit[:10]}{' with changes' if dirty else ''}"}
    return {**made.environment, **state}


def _others(one: Mapping[str, object]) -> str:
    fits = one["fits"]
    assert isinstance(fits, dict)  # noqa: S101 (for the type checker)
    parts = [f"{count} with {value}" for value, count in [*fits.items()][:3]]
    return ", ".join([*parts, "…"] if len(fits) > 3 else parts)


# ── words ───────────────────────────────────────────────────────────────────────────────────────────────────


def _some(count: int, word: str) -> str:
    return f"{count} {word}{'s' * (count != 1)}"


def _few(names: tuple[str, ...], most: int = 3) -> str:
    shown = [name if name.isprintable() else ascii(name) for name in names[:most]]
    return ", ".join(shown) + (f" and {len(names) - most} more" if len(names) > most else "")
