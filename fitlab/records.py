"""The vocabulary: Config, Job, Split, Fit and Interval, frozen, and what follows from them alone."""

from __future__ import annotations

import sys
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cached_property, lru_cache
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from fitlab.arrays import Fetch, Stored, gathered, sums_of
from fitlab.errors import FitlabError
from fitlab.networks import as_estimator
from fitlab.seeds import digest, stream
from fitlab.spec import Sections
from fitlab.spec.models import Mlp

RECORD_VERSION = 2  # 1 had no classes, and one sum over all arrays of a Fit
Array = NDArray[Any]
Floats = NDArray[np.float64]
Task = Literal["classification", "regression"]
Label = str | int | float  # and bool, which is an int


class Outcome(StrEnum):
    """How training a Job ended."""

    COMPLETED = "completed"
    PRUNED = "pruned"
    DIVERGED = "diverged"
    FAILED = "failed"
    INTERRUPTED = "interrupted"


ENDED = (Outcome.COMPLETED, Outcome.DIVERGED)  # training cannot go on from there


@dataclass(frozen=True)
class Interval:
    """An estimated number: estimate, bounds at ``level``, from ``n`` values by ``method``; NaN bounds: n = 1."""

    estimate: float
    low: float
    high: float
    level: float
    n: int
    method: str

    def __str__(self) -> str:
        return f"{self.estimate:.4g} [{self.low:.4g}, {self.high:.4g}]"


@dataclass(frozen=True)
class Config:
    """One point of the sweep with every value concrete."""

    sections: Sections
    swept: Mapping[str, Any]  # swept key -> value, in the order of the spec; absent where `when` says so

    @cached_property
    def plain(self) -> dict[str, Any]:
        """The sections as plain JSON data, every value concrete."""
        data: dict[str, Any] = self.sections.model_dump(mode="json")
        return data

    @cached_property
    def identity(self) -> dict[str, Any]:
        """The sections without what is at its default: a key that a later version adds changes no identity.

        A default that changes its value must change the trainer's version.
        """
        data: dict[str, Any] = self.sections.model_dump(mode="json", exclude_defaults=True)
        return data

    @cached_property
    def digest(self) -> str:
        """The sha256 of the canonical JSON of its identity."""
        return digest(self.identity)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Config) and self.digest == other.digest

    def __hash__(self) -> int:
        return hash(self.digest)


@dataclass(frozen=True)
class Job:
    """A Config and one seed, on one data set, by one trainer."""

    config: Config
    seed: int
    vary: tuple[str, ...]  # of split, init, order: what the seed changes
    fingerprint: str  # of the data set
    trainer: str  # name/version: other versions give other numbers

    @cached_property
    def plain(self) -> dict[str, Any]:
        """The job's identity as plain JSON data."""
        return {
            "config": self.config.identity,
            "seed": self.seed,
            "vary": sorted(self.vary),
            "fingerprint": self.fingerprint,
            "trainer": self.trainer,
        }

    @cached_property
    def digest(self) -> str:
        """The job's identity everywhere: the sha256 of its canonical JSON."""
        return digest(self.plain)

    def stream(self, purpose: str) -> int:
        """Seed of the random stream for ``purpose``: split, init or order.

        It depends on the job's seed where ``vary`` says so and never on the Config, so that Configs are
        paired within a seed (common random numbers): differences between them are not differences in luck.
        """
        return stream(purpose, self.seed if purpose in self.vary else "fixed")

    @property
    def random_state(self) -> int | None:
        """The int with which scikit-learn's own estimator trains the same network on ``split.X_train``.

        None where initialisation and order of rows vary apart: no single int does that.
        """
        return self.stream("init") if ("init" in self.vary) == ("order" in self.vary) else None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Job) and self.digest == other.digest

    def __hash__(self) -> int:
        return hash(self.digest)


@dataclass(frozen=True)
class Truth:
    """What is known of the law behind the data, in the units of the test part."""

    name: str  # of the law
    noise: float | None  # standard deviation of additive noise; for classes the share of labels that are redrawn
    bayes_loss: float | None  # of the best predictor on test data: mean squared error, or log-loss in nats
    bayes_error: float | None  # share that the best classifier gets wrong on test data; None for regression
    method: str  # how these were had


@dataclass(frozen=True, eq=False)
class Split:
    """The arrays of one Job. N samples, D features; y holds class codes 0..K-1 (int64) or targets (float64)."""

    task: Task
    classes: Array  # (K,) the labels behind the codes; empty for regression
    X_train: Floats  # (N_train, D) scaled by what the training part says
    y_train: Array  # (N_train,)
    X_val: Floats
    y_val: Array
    X_test: Floats
    y_test: Array
    rows: Mapping[str, NDArray[np.int64]]  # part -> row numbers in the data set; drawn anew: in the draw of the part
    truth: Truth | None = None  # where the law behind the data is known, or part of it
    weights: Mapping[str, Floats] = field(default_factory=dict)  # part -> (N_part,) how much a row counts; empty: alike

    @property
    def n_outputs(self) -> int:
        """K for classification, 1 for regression."""
        return len(self.classes) or 1

    @property
    def labels(self) -> tuple[Label, ...]:
        """The classes as plain values; what is neither text nor a number is written as text."""
        return tuple(one if isinstance(one, str | int | float) else str(one) for one in self.classes.tolist())

    @cached_property
    def sizes(self) -> dict[str, int]:
        """Rows of each part, features and outputs."""
        return {
            "n_train": len(self.y_train),
            "n_val": len(self.y_val),
            "n_test": len(self.y_test),
            "n_features": self.X_train.shape[1],
            "n_outputs": self.n_outputs,
        }


@dataclass(frozen=True, eq=False)
class Curves:
    """Metrics along the training axis, each measured after the epoch, with the same weights for all parts.

    Networks are measured before training, too, at epoch 0. Estimators have no such point; growth in steps is
    measured at every step; what has no axis has the one epoch 1. P points.
    """

    epoch: NDArray[np.int64]  # (P,) ascending, of Fit.curves the last one being Fit.epochs
    values: Mapping[str, Floats]  # "loss/train", "loss/val", "accuracy/train" … -> (P,)

    def __post_init__(self) -> None:
        """Keep names once: thousands of Fits have the same."""
        object.__setattr__(self, "values", {sys.intern(name): curve for name, curve in self.values.items()})

    def __reduce__(self) -> tuple[type[Curves], tuple[Any, ...]]:
        """Come out of a pickle, from another process, as new ones are made."""
        return Curves, (self.epoch, self.values)

    def __len__(self) -> int:
        return len(self.epoch)

    def __getitem__(self, metric: str) -> Floats:
        return self.values[metric]

    @property
    def columns(self) -> dict[str, Array]:
        """Epochs and values, as they are stored; empty where there are none."""
        return {"epoch": self.epoch, **self.values} if len(self) else {}

    def upto(self, epoch: int) -> Curves:
        """Return what was measured by the end of ``epoch``."""
        n = int((self.epoch <= epoch).sum())
        return Curves(self.epoch[:n], {name: curve[:n] for name, curve in self.values.items()})


EMPTY_CURVES = Curves(np.empty(0, np.int64), {})


@lru_cache(maxsize=64)
def _shared(versions: tuple[tuple[str, str], ...]) -> Mapping[str, str]:
    return dict(versions)


@dataclass(frozen=True)
class Provenance:
    """When, where and with what a Fit was made; no part of its identity."""

    started_ms: int  # Unix time
    seconds: float  # wall time of training
    host: str
    platform: str
    versions: Mapping[str, str] = field(default_factory=dict)
    commit: str | None = None
    dirty: bool | None = None
    cpu: str | None = None  # its model; None: not known, as of Fits from before this was noted
    blas: str | None = None  # the libraries that multiply matrices, and what they are compiled for
    tries: int = 1  # the last one gave this Fit, those before failed

    def __post_init__(self) -> None:
        """Keep once what thousands of Fits have in common: from other processes and from files it comes as copies."""
        for name in ("host", "platform", "commit", "cpu", "blas"):
            value = getattr(self, name)
            object.__setattr__(self, name, value if value is None else sys.intern(value))
        object.__setattr__(self, "versions", _shared(tuple(self.versions.items())))

    @property
    def environment(self) -> dict[str, str]:
        """What can make the numbers of the same job differ, as far as it is known: one word for each."""
        known = {"platform": self.platform, "cpu": self.cpu, "blas": self.blas}
        return {**self.versions, **{name: value for name, value in known.items() if value is not None}}

    @property
    def ended_ms(self) -> int:
        """Unix time of the end."""
        return self.started_ms + max(1, round(self.seconds * 1000))


@dataclass(frozen=True, eq=False)
class Fit:
    """What training a Job gave. Two Fits are equal if all but their provenance is, bit for bit.

    Of a Fit that comes from a store, weights, snapshots and predictions lie there: each array is read, and checked,
    whenever it is asked for. Raises StoreError then if it is gone or damaged.
    """

    job: Job
    outcome: Outcome
    epochs: int  # the last epoch that was trained, or in which it raised; 0 where nothing was measured before
    curves: Curves = EMPTY_CURVES
    weights: Mapping[str, Array] = field(default_factory=dict)  # "hidden_1/weight" (D, H) …; "ridge/coef_" (D,) …
    snapshots: Mapping[int, Mapping[str, Array]] = field(default_factory=dict)  # epoch -> like weights
    # Of networks, at the epochs of training.snapshots and the last: "gradient/hidden_1/weight" …, the Euclidean norm of
    # the gradient, over the whole training part, of what training minimises but the penalty (log-loss, or half the
    # squared error); "update/hidden_1/weight" …, that of the change in this epoch, NaN at epoch 0.
    norms: Curves = EMPTY_CURVES
    # At the same epochs: "distance/hidden_1/weight" …, the Euclidean one from where training began; "dead/hidden_1" …,
    # the share of relu units that are silent on every training row; "shift/hidden_1" …, the share of biases in what a
    # layer adds up there; "margin/train", the tenth percentile of the margins of logits; "ablated/hidden_1/val" …, the
    # loss with the biases of that layer at zero, "ablated/all/val" with all of them.
    probes: Curves = EMPTY_CURVES
    predictions: Mapping[str, Floats] = field(
        default_factory=dict
    )  # val, test -> (N, K) probabilities, or (N,) codes or values
    loss: str = ""  # which loss "loss/…" is, its clipping included
    null: Mapping[str, float] = field(default_factory=dict)  # the constant predictor's metrics on the same split
    classes: tuple[Label, ...] = ()  # (K,) the labels behind the codes; empty for regression
    sizes: Mapping[str, int] = field(default_factory=dict)  # as Split.sizes, and n_parameters where it is known
    cause: str | None = None  # why it diverged or failed, or what the library warned of
    provenance: Provenance | None = None

    @property
    def random_state(self) -> int | None:
        """See Job.random_state."""
        return self.job.random_state

    @property
    def final(self) -> dict[str, float]:
        """Every metric at the last epoch; empty where nothing was measured."""
        return {name: float(curve[-1]) for name, curve in self.curves.values.items() if len(curve)}

    @property
    def kept(self) -> dict[int, Mapping[str, Array]]:
        """The epochs of which weights are kept, in order, each with what ``weights`` then was."""
        last = {self.epochs: self.weights} if self.weights else {}
        return dict(sorted({**self.snapshots, **last}.items()))

    @property
    def groups(self) -> dict[str, Mapping[str, Array]]:
        """Every array, grouped by how its name in the store begins."""
        return {
            "curves/": {"epoch": self.curves.epoch, **self.curves.values},
            "weights/": self.weights,
            **{f"snapshots/{epoch}/": arrays for epoch, arrays in self.snapshots.items()},
            "norms/": self.norms.columns,
            "probes/": self.probes.columns,
            "predictions/": self.predictions,
        }

    @property
    def arrays(self) -> dict[str, Array]:
        """Every array under its name in the store, C-ordered and little-endian. Those that lie in a file are read."""
        return gathered(self.groups)

    @property
    def sums(self) -> dict[str, str]:
        """The sum of every array under its name in the store. No file is read."""
        return {begin + name: sum_ for begin, group in self.groups.items() for name, sum_ in sums_of(group).items()}

    @property
    def record(self) -> dict[str, Any]:
        """Everything but arrays and provenance, as plain JSON data; non-finite numbers as text."""
        return {
            "record_version": RECORD_VERSION,
            "arrays": [begin + name for begin, group in self.groups.items() for name in group],
            "job": self.job.plain,
            "outcome": str(self.outcome),
            "epochs": self.epochs,
            "loss": self.loss,
            "null": {name: jsonable(value) for name, value in self.null.items()},
            "classes": list(self.classes),
            "sizes": dict(self.sizes),
            "cause": self.cause,
        }

    @cached_property
    def content_digest(self) -> str:
        """The sha256 of the Fit without its provenance. No file is read for it."""
        return digest([self.record, self.sums])

    def to_sklearn(self, epoch: int | None = None) -> Any:
        """Return a network as scikit-learn's fitted MLPClassifier or MLPRegressor.

        It predicts what this Fit does, for features scaled as those of ``fitlab.split(fit.job)``: labels of the data,
        or a target in its scale there. epoch: one of ``snapshots`` instead of the last.
        Raises FitlabError for other models, of which the store has no more than numbers, and where no weights are kept.
        """
        model, training = self.job.config.sections.model, self.job.config.sections.training
        if not isinstance(model, Mlp) or training is None:
            raise FitlabError(
                f"only networks (kind: mlp) can be handed back, not kind: {model.kind}: the store keeps its numbers, "
                "no pickle. Train it again: split = fitlab.split(fit.job), then the estimator with model.parameters "
                "and random_state=fit.random_state, .fit(split.X_train, split.y_train)"
            )
        weights = self.weights if epoch is None else self.snapshots.get(epoch, {})
        if not weights:
            kept = ", ".join(map(str, self.snapshots)) or "none"
            raise FitlabError(f"no weights were kept there; this Fit is {self.outcome}, its snapshots are: {kept}")
        if self.sizes["n_outputs"] > 1 and not self.classes:
            raise FitlabError("stored by an earlier version, without its class labels; train it again")
        at, n_train = self.epochs if epoch is None else epoch, self.sizes["n_train"]
        return as_estimator(model, training, weights, self.classes, self.random_state, at, n_train)

    def stamped(self, provenance: Provenance) -> Fit:
        """The same Fit with its provenance."""
        return replace(self, provenance=provenance)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Fit) and self.content_digest == other.content_digest

    def __hash__(self) -> int:
        return hash(self.content_digest)


def upto(fit: Fit, epoch: int) -> Fit:
    """Return a Fit as it was after ``epoch``, given up there; the Fit itself where it ended by then.

    A stored Fit may be longer than a sweep wants it. Its weights at ``epoch`` are those of its snapshot.
    """
    if fit.epochs <= epoch:
        return fit
    curves = fit.curves.upto(epoch)
    at = int(curves.epoch[-1]) if len(curves) else 0
    return replace(
        given_up(fit),
        epochs=at,
        curves=curves,
        norms=fit.norms.upto(epoch),
        probes=fit.probes.upto(epoch),
        weights=fit.snapshots.get(at, {}),
        snapshots={at_epoch: arrays for at_epoch, arrays in fit.snapshots.items() if at_epoch <= at},
    )


def in_file(fit: Fit, fetch: Fetch) -> Fit:
    """Return a Fit whose weights, snapshots and predictions are no longer in memory: ``fetch`` reads them."""
    return replace(
        fit,
        weights=Stored(sums_of(fit.weights), fetch),
        snapshots={epoch: Stored(sums_of(arrays), fetch) for epoch, arrays in fit.snapshots.items()},
        predictions=Stored(sums_of(fit.predictions), fetch),
    )


def best_epoch(fit: Fit) -> int:
    """Return the first epoch with the lowest validation loss. Raises ValueError where nothing was measured."""
    return int(fit.curves.epoch[fit.curves["loss/val"].argmin()])


def given_up(fit: Fit) -> Fit:
    """Return a Fit as a search stores it that went no further."""
    return replace(fit, outcome=Outcome.PRUNED, predictions={}, cause=None)


def failed_after(part: Fit, failed: Fit) -> Fit:
    """Return the Fit that failed when training went on from ``part``: what was measured before is kept."""
    if not len(part.curves):
        return failed
    return replace(
        part,
        outcome=Outcome.FAILED,
        epochs=part.epochs + 1,
        weights={},
        predictions={},
        cause=failed.cause,
        provenance=failed.provenance,
    )


def merged(one: Fit, other: Fit) -> Fit:
    """Return of two Fits of a job the one that reaches further, with the snapshots of both; ``one`` if neither does."""
    longer, shorter = sorted((other, one), key=lambda fit: (fit.outcome in ENDED, fit.epochs))[::-1]
    epochs = {epoch for epoch in (*longer.snapshots, *shorter.snapshots) if epoch <= longer.epochs}
    return with_snapshots(longer, epochs, shorter.snapshots)


def with_snapshots(fit: Fit, epochs: Collection[int], also: Mapping[int, Mapping[str, Array]] | None = None) -> Fit:
    """Return a Fit with the snapshots of ``epochs`` alone, in order; ``also``: of earlier parts of its training."""
    found = {**(also or {}), **fit.snapshots}
    return replace(fit, snapshots={epoch: found[epoch] for epoch in sorted(found) if epoch in epochs})


def finite(value: Any) -> Any:
    """Return plain data for JSON: what is not a number becomes null."""
    if isinstance(value, float) and not np.isfinite(value):
        return None
    if isinstance(value, Mapping):
        return {str(key): finite(one) for key, one in value.items()}
    return [finite(one) for one in value] if isinstance(value, list | tuple) else value


def jsonable(value: float) -> float | str:
    """The number itself, or the name of a non-finite one, which JSON does not have."""
    return value if np.isfinite(value) else repr(float(value))
