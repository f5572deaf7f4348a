"""Training the Fit of a job again and comparing: whether a result comes again, and what differs if it does not."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import BrokenExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np

from fitlab import trainers
from fitlab.data import Arrays
from fitlab.errors import Problem, SpecError, StoreError
from fitlab.records import Array, Fit, Outcome, given_up
from fitlab.runner.execute import git_state
from fitlab.runner.workers import LOST, Task, here, in_process, lost, processes, split_of, train
from fitlab.store import Store
from fitlab.trainers.importing import DEFAULT as SAFE

TOLERANCE = 1e-6  # of the largest value of an array, where it was trained on another platform
SHORT = 4  # hex digits of a digest, at least


@dataclass(frozen=True)
class Difference:
    """An array that is not bit for bit as it was."""

    name: str
    largest: float  # absolute difference; infinite where shapes or missing values differ
    relative: float  # to the largest value that was stored
    epoch: int | None = None  # of a curve: the first at which it differs


@dataclass(frozen=True)
class Rerun:
    """A stored Fit, the same job trained again, and what differs between them."""

    stored: Fit
    again: Fit
    environment: Mapping[str, tuple[str, str]]  # what it was made with -> then, and here; "unknown" where it is not
    words: tuple[str, ...]  # what differs and is no array: the outcome, the last epoch, a cause …
    arrays: tuple[Difference, ...]
    tolerance: float

    @property
    def identical(self) -> bool:
        """Whether both have the same content digest."""
        return self.stored == self.again

    @property
    def same_platform(self) -> bool:
        """Whether versions, platform, CPU and BLAS are known to be those that it was made with."""
        return not self.environment.keys() - {"commit", "trainer"}

    @property
    def equal(self) -> bool:
        """Whether it came again: bit for bit on the same platform, within the tolerance on another."""
        near = not self.words and all(one.relative <= self.tolerance for one in self.arrays)
        return self.identical or (near and not self.same_platform)


def find(store: Store, beginning: str) -> str:
    """Return the digest of the one job whose digest begins so. Raises SpecError where there is none, or several."""
    paths = (store.root / "fits").glob(f"{beginning}*.safetensors") if set(beginning) <= set("0123456789abcdef") else ()
    found = sorted(path.stem for path in paths)
    if len(found) == 1 and len(beginning) >= SHORT:
        return found[0]
    given = f"{len(found)} Fits begin so: {', '.join(one[:16] for one in found[:5])}" if found else None
    message = "not the beginning of one job's digest" if found else "no Fit of a job whose digest begins so"
    hint = f"at least {SHORT} hex digits; `fitlab sweep SPEC --json` and MLflow's fitlab.digest have them whole"
    raise SpecError([Problem((), f"{beginning}: {message} in {store.root}", given, hint=hint)])


def rerun(
    store: Store,
    job_digest: str,
    arrays: Arrays | None = None,
    packages: frozenset[str] = SAFE,
    tolerance: float = TOLERANCE,
) -> Rerun:
    """Train the job of a stored Fit again, as far as it was trained, and compare. The store is left as it is.

    arrays: (X, y) if it was trained on arrays. packages: what an estimator may be imported from.
    Raises SpecError where its data are not at hand or have changed, or its estimator may not be imported, StoreError.
    """
    stored = store.read(job_digest)
    if stored is None:
        raise StoreError(f"{store.fit_path(job_digest)}: gone, or damaged; its sweep trains it again")
    sections = stored.job.config.sections
    if problems := list(trainers.problems(sections, packages)):
        raise SpecError(problems)
    split_of(stored.job, arrays)
    again = _trained(stored, arrays)
    words, differences = compared(stored, again)
    return Rerun(stored, again, _environment(stored), tuple(words), tuple(differences), tolerance)


def _trained(stored: Fit, arrays: Arrays | None) -> Fit:
    """Train a job as far as it was trained; one that failed in a process of its own, which it may take along."""
    end = stored.epochs if stored.outcome is Outcome.PRUNED else trainers.end(stored.job.config.sections)
    task = Task(stored.job, None, (*(epoch for epoch in sorted(stored.snapshots) if 0 < epoch < end), end))
    workers = processes(1, arrays) if stored.outcome is Outcome.FAILED else in_process(arrays)
    with workers.make() as executor:
        try:
            fit = executor.submit(train, task).result().fit
        except BrokenExecutor:
            fit = lost(task, LOST).fit
    return given_up(fit) if stored.outcome is Outcome.PRUNED and fit.outcome is Outcome.INTERRUPTED else fit


# ── what differs ────────────────────────────────────────────────────────────────────────────────────────────


def compared(stored: Fit, again: Fit) -> tuple[list[str], list[Difference]]:
    """Return what differs between two Fits of a job: in words, and array by array."""
    facts: dict[str, Callable[[Fit], Any]] = {
        "outcome": lambda fit: str(fit.outcome),
        "last epoch": lambda fit: fit.epochs,
        "cause": lambda fit: fit.cause,
        "loss": lambda fit: fit.loss,
        "sizes": lambda fit: dict(fit.sizes),
        "classes": lambda fit: fit.classes,
    }
    words = [f"{name}: {of(stored)}, now {of(again)}" for name, of in facts.items() if of(stored) != of(again)]
    then, now = ({**fit.arrays, **_null(fit)} for fit in (stored, again))
    words += [f"arrays that are gone: {name}" for name in then.keys() - now.keys()]
    words += [f"arrays that are new: {name}" for name in now.keys() - then.keys()]
    both = [name for name in then if name in now]
    found = [_difference(name, then[name], now[name], then.get("curves/epoch")) for name in both]
    return words, sorted((one for one in found if one is not None), key=lambda one: (-one.relative, one.name))


def _null(fit: Fit) -> dict[str, Array]:
    return {f"null/{name}": np.array(value) for name, value in fit.null.items()}


def _difference(name: str, then: Array, now: Array, epochs: Array | None) -> Difference | None:
    """Return how far an array is from what it was; None where it is that, bit for bit."""
    if then.shape != now.shape or then.dtype != now.dtype:
        return Difference(name, np.inf, np.inf)
    if then.tobytes() == now.tobytes():
        return None
    one, other = then.astype(np.float64), now.astype(np.float64)
    finite = np.isfinite(one) & np.isfinite(other)
    same = (one == other) | (np.isnan(one) & np.isnan(other))
    gaps = np.where(same, 0.0, np.where(finite, np.abs(np.where(finite, one - other, 0.0)), np.inf))
    largest = float(gaps.max(initial=0.0))
    scale = float(np.abs(one[np.isfinite(one)]).max(initial=0.0))
    epoch = None
    if name.startswith("curves/") and epochs is not None and len(epochs) == len(gaps) and largest:
        epoch = int(epochs[np.argmax(gaps > 0)])
    return Difference(name, largest, largest / scale if scale else largest, epoch)


def _environment(stored: Fit) -> dict[str, tuple[str, str]]:
    """Return what differs between where a Fit was made and here."""
    made = stored.provenance
    commit, dirty = git_state()
    now = {**here().environment, "commit": _commit(commit, dirty), "trainer": _trainer(stored)}
    then = {} if made is None else {**made.environment, "commit": _commit(made.commit, made.dirty)}
    then |= {"trainer": stored.job.trainer}
    return {
        name: (then.get(name, "unknown"), now.get(name, "unknown"))
        for name in dict.fromkeys((*now, *then))
        if then.get(name, "unknown") != now.get(name, "unknown")
    }


def _commit(commit: str | None, dirty: bool | None) -> str:
    return "unknown" if commit is None else f"{commit[:10]}{' with changes' if dirty else ''}"


def _trainer(stored: Fit) -> str:
    return trainers.version(stored.job.config.sections)
