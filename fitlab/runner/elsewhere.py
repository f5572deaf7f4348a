"""``fitlab.from_mlflow`` and `fitlab diagnose --mlflow`: an experiment that was trained elsewhere, diagnosed."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from fitlab.diagnosis import diagnose
from fitlab.errors import SpecError, StoreError
from fitlab.recorded import HOW_TO
from fitlab.store import Store
from fitlab.sweep import Sweep
from fitlab.tracking.elsewhere import Asked, Recording, recording, with_constant
from fitlab.tracking.reading import Reader

ALIKE = (
    "The rule takes losses measured after the epoch, in evaluation mode, without the penalty, on both parts alike. "
    "Whether these were is not known: a mean over the minibatches of an epoch was not."
)


def from_mlflow(
    experiment: str,
    *,
    train: str | None = None,
    val: str | None = None,
    seed: str | None = None,
    config: str | Sequence[str] = (),
    capacity: str | None = None,
    constant: Mapping[str, float] | None = None,
    loss: str | None = None,
    by_start: bool = False,
    newest: bool = False,
    unfinished: bool = False,
    margin: float = 0.05,
    level: float = 0.90,
    uri: str | None = None,
    store: str | Path = "mlruns",
) -> Sweep:
    """Return a Sweep, with verdicts, of an MLflow experiment that somebody else's code logged. It is read only.

    A run is one Config under one seed, with a training and a validation loss, each logged with the same step once an
    epoch (step 0 is taken to be before training). Runs that failed or were killed count as that; those without both
    losses, such as parents, that still run, or are deleted, are left out. Of several values at one step, and of several
    finished runs of one Config and seed, the last counts.

    experiment: name or id. train, val: metrics; looked for by their names where not given. The losses should be
    measured after the epoch, in evaluation mode, on both parts alike; a mean over the minibatches of the epoch is not.
    seed: the param or tag that holds it (looked for: seed, random_state …); without one each run of the same params is
    one more seed. config: params that make a Config; default: all that vary, but the seed and what follows from it.
    capacity: a param that orders Configs from small to large. constant: the constant predictor's losses,
    ``{"train": …, "val": …}``. loss: "log_loss", "squared_error" or another name. by_start: number runs by their start,
    whatever their seeds. newest: take the last of runs of one Config and seed even where other params differ.
    unfinished: runs without an end count as they are.
    uri: default MLFLOW_TRACKING_URI, else the database of ``store``.
    Warns of what was guessed or left out. Raises SpecError, and StoreError where MLflow cannot be read.
    """
    keys = (config,) if isinstance(config, str) else tuple(config)
    asked = Asked(train, val, seed, keys, capacity, loss, by_start, newest, unfinished)
    found = read(experiment, asked, uri, store)
    sweep = swept(found, constant, margin, level)
    if found.assumed:
        warnings.warn("\n".join([f"{experiment}:", *found.assumed]), stacklevel=2)
    return sweep


def read(experiment: str, asked: Asked, uri: str | None, store: str | Path) -> Recording:
    """Return the curves of an experiment, and how it was understood."""
    return recording(Reader(uri or os.environ.get("MLFLOW_TRACKING_URI") or _local(store)), experiment, asked)


def _local(store: str | Path) -> str:
    database = Store(Path(store).absolute()).database
    if not database.exists():
        raise StoreError(
            f"{database} is not there. Where is the experiment? uri (--uri), or MLFLOW_TRACKING_URI: sqlite:///FILE "
            "for a database (MLflow's default is mlflow.db), http://HOST:PORT for a server"
        )
    return f"sqlite:///{database}"


def swept(found: Recording, constant: Mapping[str, float] | None, margin: float, level: float) -> Sweep:
    """Return a recording as a Sweep with its verdicts. Raises SpecError, with how the experiment was understood."""
    if constant is None:
        raise SpecError(
            f"the constant predictor's losses are missing. {HOW_TO}. Give them: constant={{'train': …, 'val': …}}, or "
            "--constant-train and --constant-val. The rest was understood: " + " ".join(found.said)
        )
    sweep = Sweep.from_frame(
        found.frame,
        constant=constant,
        capacity=found.capacity,
        loss=found.loss,
        margin=margin,
        level=level,
        name=found.name,
    )
    return replace(sweep, verdicts=diagnose(sweep))


def tidy(found: Recording, constant: Mapping[str, float]) -> str:
    """Return the frame as CSV, the constant predictor with it: ``Sweep.from_frame(pd.read_csv(FILE))`` takes it."""
    return with_constant(found.frame, constant).to_csv(index=False)
