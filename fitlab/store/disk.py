"""Where Fits and sweeps lie, how they are written (temporary name, fsync, rename) and who may."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from fitlab.arrays import Array, Fetch
from fitlab.errors import SpecError, StoreError
from fitlab.records import RECORD_VERSION, Config, Fit, Job, Outcome, best_epoch, in_file, merged, upto, with_snapshots
from fitlab.seeds import digest
from fitlab.spec import Document, read_spec, sections
from fitlab.spec.models import TrainingOptions
from fitlab.store.codec import UPGRADE, CorruptFileError, OtherVersionError, read_arrays, read_fit, read_head, write_fit
from fitlab.store.locks import held, owner
from fitlab.sweep import Sweep

FOLDERS = ("fits", "sweeps", "optuna", "published", "locks")
MLFLOW = ("artifacts", *(f"mlflow.db{end}" for end in ("", "-wal", "-shm", "-journal")))
ALONE = ".store"  # held by every sweep together, and by who moves or removes Fits alone


@dataclass(frozen=True)
class Planned:
    """A Config of a sweep: its jobs, one a seed, and the epoch at which the replay ends it."""

    config: Config
    jobs: tuple[Job, ...]
    end: int


def as_decided(fit: Fit, end: int, rungs: Collection[int]) -> Fit:
    """Return a stored Fit as a sweep reads it that ended it after ``end``: cut there, with the snapshots it wants."""
    training, decided = fit.job.config.sections.training, upto(fit, end)
    if not isinstance(training, TrainingOptions):
        return with_snapshots(decided, rungs)
    wanted = {*rungs, *training.snapshots}
    if training.early_stopping and decided.outcome is Outcome.COMPLETED:
        wanted.add(best_epoch(decided))
    return with_snapshots(decided, wanted)


@dataclass(frozen=True)
class Store:
    """A folder: fits/DIGEST.safetensors, sweeps/NAME.json, optuna/NAME.journal, mlflow.db, artifacts/."""

    root: Path

    @classmethod
    def at(cls, root: str | Path, create: bool = False) -> Store:
        """Return the store at ``root``. Raises StoreError where it cannot be read (or made and written)."""
        if set("%?#") & set(str(root)):
            raise StoreError(f"{root}: a store's path cannot hold % ? or #, which database addresses treat apart")
        store = cls(Path(root).absolute())
        try:
            _refuse_links_out(store.root)
            if create:
                for folder in FOLDERS:
                    (store.root / folder).mkdir(parents=True, exist_ok=True)
                with tempfile.TemporaryFile(dir=store.root / "fits"):
                    pass  # it can be written
            elif not (store.root / "sweeps").is_dir():
                raise StoreError(f"{root}: no store here; `fitlab sweep SPEC --store {root}` makes one")
        except OSError as error:
            raise StoreError(f"{root}: the store cannot be used: {error}") from None
        return store

    # ── fits ────────────────────────────────────────────────────────────────────────────────────────────────

    def fit_path(self, job_digest: str) -> Path:
        """Return the file of a Fit."""
        return self.root / "fits" / f"{job_digest}.safetensors"

    def read(self, job_digest: str, set_aside: bool = False, head: bool = False) -> Fit | None:
        """Return a Fit, or None where there is none or its file is damaged.

        Its weights, snapshots and predictions are read when they are asked for, and checked then; all is checked
        now, too, unless only the ``head`` is read.
        set_aside: rename a damaged file to ``….corrupt``, so that it can be looked at; for the owner of the lock.
        Raises StoreError where the disk cannot be read, or for a Fit of a newer version.
        """
        path = self.fit_path(job_digest)
        try:
            if head:
                return read_head(path, job_digest, self._fetch(job_digest))
            return read_fit(path.read_bytes(), job_digest, self._fetch(job_digest))
        except FileNotFoundError:
            return None
        except CorruptFileError:
            if set_aside:
                with _as_store_error(path):
                    os.replace(path, path.with_name(f"{path.name}.corrupt"))
            return None
        except (OSError, OtherVersionError) as error:
            raise StoreError(f"{path}: cannot be read: {error}") from None

    def write(self, fit: Fit) -> Fit:
        """Store a Fit and return it with its arrays there. If this does not return, the file is as before.

        What another sweep has stored of the same job meanwhile is kept, too: the longer one, with all snapshots.
        """
        path = self.fit_path(fit.job.digest)
        with self.locked(".fits", wait=True), _as_store_error(path):
            there = self.read(fit.job.digest) if path.exists() else None
            _write(path, write_fit(fit if there is None else merged(fit, there)))
        return in_file(fit, self._fetch(fit.job.digest))

    def _fetch(self, job_digest: str) -> Fetch:
        return partial(_stored_arrays, str(self.fit_path(job_digest)))

    def set_aside(self) -> list[str]:
        """Return the names of damaged files that were set aside."""
        return sorted(path.name for path in (self.root / "fits").glob("*.corrupt"))

    # ── sweeps ──────────────────────────────────────────────────────────────────────────────────────────────

    def sweep_path(self, name: str) -> Path:
        """Return the file of a sweep."""
        return self.root / "sweeps" / f"{name}.json"

    def names(self) -> list[str]:
        """Return the names of the sweeps in this store."""
        return sorted(path.stem for path in (self.root / "sweeps").glob("*.json"))

    def write_sweep(
        self, document: Document, planned: Sequence[Planned], rungs: Sequence[int] = (), finished: bool = False
    ) -> None:
        """Write what the sweep consists of: its spec, source text, Configs in order, their ends and Fits.

        rungs: epochs at which its Configs were compared. finished: whether these are all that it will consist of.
        """
        spec, source = document.spec, document.source
        body = {
            "record_version": RECORD_VERSION,
            "name": spec.name,
            "spec": spec.model_dump(mode="json", exclude_unset=True),
            "source": {"name": source.name, "text": source.text},
            "rungs": list(rungs),
            "finished": finished,
            "configs": [
                {
                    "digest": one.config.digest,
                    "swept": dict(one.config.swept),
                    "sections": one.config.plain,
                    "end": one.end,
                    "fits": [{"seed": job.seed, "digest": job.digest} for job in one.jobs],
                }
                for one in planned
            ],
        }
        text = json.dumps({**body, "sha256": digest(body)}, indent=1, ensure_ascii=False)
        path = self.sweep_path(spec.name)
        with _as_store_error(path):
            there = path.read_bytes() if path.exists() else b""
            if there != text.encode():
                _refuse_newer(path, there)
                _write(path, text.encode())

    def sweep_record(self, name: str) -> dict[str, Any]:
        """Return the file of a sweep as plain data. Raises StoreError where it is missing or damaged."""
        path = self.sweep_path(name)
        try:
            there = path.read_bytes()
            _refuse_newer(path, there)
            body: dict[str, Any] = json.loads(there)
            sound = body.pop("sha256") == digest(body)
        except FileNotFoundError:
            known = ", ".join(self.names()) or "none"
            raise StoreError(f"{self.root}: no sweep named {name}; there are: {known}") from None
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise StoreError(f"{path}: cannot be read ({error}); `fitlab sweep SPEC` writes it anew") from None
        if not sound:
            raise StoreError(f"{path}: damaged, its checksum does not fit; `fitlab sweep SPEC` writes it anew")
        return body

    def load(self, name: str) -> Sweep:
        """Return a sweep with the Fits that are there. Raises StoreError where its file is missing or damaged."""
        body = self.sweep_record(name)
        try:
            spec = read_spec(body["spec"]).spec
            configs = [Config(sections(one["sections"]), one["swept"]) for one in body["configs"]]
        except SpecError as error:
            raise StoreError(f"{self.sweep_path(name)}: not a sweep of this version: {error}") from None
        fits = []
        for config, one in zip(configs, body["configs"], strict=True):
            for fit in filter(None, (self.read(job["digest"], head=True) for job in one["fits"])):
                if fit.outcome is Outcome.PRUNED and fit.epochs < one["end"]:
                    continue  # of another sweep, which gave it up earlier: here it is not there yet
                decided = as_decided(fit, one["end"], body.get("rungs", ()))
                fits.append(replace(decided, job=replace(fit.job, config=config)))
        return Sweep(spec, tuple(configs), tuple(fits))

    # ── small files beside ──────────────────────────────────────────────────────────────────────────────────

    @property
    def database(self) -> Path:
        """MLflow's SQLite file."""
        return self.root / "mlflow.db"

    @property
    def artifacts(self) -> Path:
        """Where MLflow keeps artifacts."""
        return self.root / "artifacts"

    def journal_path(self, name: str) -> Path:
        """Return the file of the finished Optuna study."""
        return self.root / "optuna" / f"{name}.journal"

    def write_published(self, name: str, record: dict[str, Any]) -> None:
        """Note where and what was published last."""
        path = self.root / "published" / f"{name}.json"
        with _as_store_error(path):
            _write(path, json.dumps(record, indent=1).encode())

    def published(self, name: str) -> dict[str, Any] | None:
        """Return what was noted about the last publishing; None where nothing (readable) was."""
        try:
            found = json.loads((self.root / "published" / f"{name}.json").read_text())
        except (OSError, ValueError, RecursionError):
            return None
        return found if isinstance(found, dict) and {"uri", "experiment", "identity"} <= set(found) else None

    def runs(self, name: str) -> dict[str, str]:
        """Return the MLflow run of each published Config, by its digest."""
        runs = (self.published(name) or {}).get("runs", {})
        return {str(config): str(run) for config, run in runs.items()} if isinstance(runs, dict) else {}

    # ── who may ─────────────────────────────────────────────────────────────────────────────────────────────────

    @contextlib.contextmanager
    def locked(self, name: str, wait: bool = False) -> Iterator[None]:
        """Hold the right to run the sweep ``name``; the kernel takes it back when its owner dies.

        Where somebody else holds it: raises StoreError, or waits. Meanwhile nobody can have the store ``alone``.
        """
        refusal = f"{name} is being run by {{owner}} in {self.root}; wait for it or stop it"
        beside = contextlib.nullcontext() if name.startswith(".") else held(self._lock(ALONE), wait=True, shared=True)
        with beside, held(self._lock(name), refusal, wait):
            yield

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Hold the right to move and remove Fits: no sweep runs, and none begins before this ends.

        Raises StoreError where one runs.
        """
        for name, who in self.running_sweeps().items():
            raise StoreError(f"{name} is being run by {who} in {self.root}; wait for it or stop it")
        with held(self._lock(ALONE), f"{self.root} is being used by {{owner}}; wait for it"):
            yield

    def owner(self, name: str) -> str | None:
        """Return who runs the sweep ``name``, in words; None where nobody does. Writes nothing."""
        return owner(self._lock(name))

    def running(self, name: str) -> bool:
        """Whether somebody holds the lock of ``name``. Writes nothing."""
        return self.owner(name) is not None

    def running_sweeps(self) -> dict[str, str]:
        """Return the sweeps that are being run, with who runs them; also those that have written nothing yet."""
        locks = sorted(path.stem for path in (self.root / "locks").glob("[!.]*.lock"))
        return {name: who for name in locks if (who := self.owner(name)) is not None}

    def _lock(self, name: str) -> Path:
        return self.root / "locks" / f"{name}.lock"


def _refuse_links_out(root: Path) -> None:
    """Raise StoreError for a store of which a part is a link to elsewhere: what is written there is not the store's.

    The store as a whole may be a link, and files that are replaced as a whole may be anything.
    """
    home = os.path.realpath(root)
    for part in (*FOLDERS, *MLFLOW):
        there = os.path.realpath(root / part)
        if os.path.commonpath((home, there)) != home:
            raise StoreError(
                f"{root / part} is a link that leads out of the store, to {there}; move what is there into the store "
                "(the store as a whole may be a link)"
            )


def _refuse_newer(path: Path, text: bytes) -> None:
    """Raise StoreError for the record of a sweep that a newer fitlab wrote; what is damaged is nobody's."""
    try:
        version = json.loads(text)["record_version"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return
    if isinstance(version, int) and version > RECORD_VERSION:
        raise StoreError(f"{path}: written by a newer fitlab; {UPGRADE}")


def _stored_arrays(path: str, wanted: Sequence[str]) -> list[Array]:
    """Return the arrays of a Fit's file that have the sums ``wanted``."""
    try:
        return read_arrays(path, wanted)
    except FileNotFoundError:
        said = "gone, and with it weights and predictions"
    except (CorruptFileError, OtherVersionError, OSError) as error:
        said = f"weights and predictions cannot be read: {error}"
    raise StoreError(f"{path}: {said}; run its sweep again to train what is lost")


@contextlib.contextmanager
def _as_store_error(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StoreError(f"{path}: cannot be written: {error}") from None


def _write(path: Path, data: bytes) -> None:
    """Write a file so that it is there whole or not at all, even if the power goes."""
    beside = path.with_name(f".{path.name}.{os.getpid()}.{os.urandom(4).hex()}.tmp")
    try:
        with open(beside, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, path)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    finally:
        beside.unlink(missing_ok=True)
