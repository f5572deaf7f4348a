"""All Fits of a Spec, grouped by Config: what tables, diagnosis, plots and reports take."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fitlab.claims import Checked
from fitlab.parameters import measured
from fitlab.recorded import COLUMNS, CONSTANT, read
from fitlab.records import Config, Fit, Floats, Interval, Outcome
from fitlab.seeds import canonical
from fitlab.spec import Spec, domain_of
from fitlab.spec.sweeps import Objective
from fitlab.stats import t_interval
from fitlab.verdicts import Label, Verdicts

__all__ = ["CONSTANT", "SEEN", "Sweep", "carried", "data_key", "score"]

UNBEATEN = "nothing beats it"
SEEN = frozenset({"data.n_visible"})  # keys of the data section that say what a learner sees of it


def data_key(config: Config) -> str:
    """Return what Configs share whose losses compare: the same rows and the same target.

    How many features a learner sees changes neither. It is the capacity of the model, as in Belkin et al. 2020.
    """
    return canonical({key: value for key, value in config.plain["data"].items() if f"data.{key}" not in SEEN})


def score(objective: Objective, fits: Sequence[Fit]) -> float:
    """Return what an objective says of the Fits of one Config: of the mean over seeds, the last epoch or the best.

    NaN where there is no Fit, nothing was measured, or the metric is not a number.
    """
    if not fits:
        return math.nan
    if objective.metric == "n_parameters":
        return float(fits[0].sizes.get("n_parameters", math.nan))
    if not all(len(fit.curves) for fit in fits):
        return math.nan
    curve = mean_curve(objective.metric, fits)
    if objective.epoch == "last":
        return float(curve[-1])
    return float(curve.max() if objective.maximize else curve.min())


def epochs_of(fits: Sequence[Fit]) -> NDArray[np.int64]:
    """Return the measured epochs of the Fit that has the most."""
    return max((fit.curves.epoch for fit in fits), key=len)


def mean_curve(metric: str, fits: Sequence[Fit]) -> Floats:
    """Return the mean over Fits of one Config at each of ``epochs_of`` them.

    A Fit that stopped early stays as it was: its last value is carried on, so that the mean ends with the mean of
    what each ended with.
    """
    epochs = epochs_of(fits)
    return np.asarray(np.mean([carried(fit, metric, epochs) for fit in fits], axis=0))


def carried(fit: Fit, metric: str, epochs: NDArray[np.int64]) -> Floats:
    """Return a curve at ``epochs``: at each the last value that was measured by then."""
    last = np.searchsorted(fit.curves.epoch, epochs, side="right") - 1
    return np.asarray(_curve(fit, metric)[np.maximum(last, 0)])


def _curve(fit: Fit, metric: str) -> Floats:
    if metric == "gap/loss":
        return fit.curves["loss/val"] - fit.curves["loss/train"]
    return fit.curves[metric]


def _alike(rows: Sequence[Mapping[str, float]]) -> bool:
    """Whether there are several and all of them are equal."""
    return len(rows) > 1 and all(row == rows[0] for row in rows)


@dataclass(frozen=True, eq=False)
class Sweep:
    """Configs in the order of the spec; Fits in the order of Configs, then seeds. What is missing is not there."""

    spec: Spec
    configs: tuple[Config, ...]
    fits: tuple[Fit, ...]
    verdicts: Verdicts = field(default_factory=Verdicts)  # empty until diagnosed
    claims: tuple[Checked, ...] = ()  # what came of each expectation of the spec; empty until checked
    runs: Mapping[str, str] = field(default_factory=dict)  # Config digest -> its MLflow run, where it was published

    @classmethod
    def from_frame(
        cls,
        frame: pd.DataFrame,
        *,
        constant: Mapping[str, float] | None = None,
        capacity: str | Mapping[Any, float] | None = None,
        loss: str = "log_loss",
        margin: float = 0.05,
        level: float = 0.90,
        name: str = "recorded",
    ) -> Sweep:
        """Return a Sweep of curves that were recorded elsewhere, to be diagnosed by the same rule.

        It has no verdicts yet: ``verdicts = fitlab.diagnose(sweep)`` gives them, and
        ``sweep = dataclasses.replace(sweep, verdicts=verdicts)`` is the sweep whose ``table()`` has them, too.

        frame: tidy as ``curves()``: config, seed, epoch, split (train, val), metric (loss and whatever else), value.
        A metric other than the loss that a seed lacks is missing for its Config.
        The loss is measured after the epoch, without the penalty, on both parts alike; seeds are shared by
        Configs (the same seed, the same split). Epochs may differ in number: what stopped early is taken to have
        completed, unless an ``outcome`` column says otherwise. A loss that ends as NaN or infinite has diverged.
        A seed that a Config lacks is missing: that Config is not assessed.
        constant: the constant predictor's losses, ``{"train": …, "val": …}``; or rows of a config of that name.
        capacity: a column, or a number for each config: its place from small to large.
        loss: what it is: "log_loss", "squared_error" or another name.
        Raises SpecError, saying what is wrong with the frame and where.
        """
        made = read(frame, constant, capacity, loss, name, {"margin": margin, "level": level})
        return cls(made.spec, made.configs, made.fits)

    @cached_property
    def _by_config(self) -> dict[str, tuple[Fit, ...]]:
        grouped: dict[str, list[Fit]] = {config.digest: [] for config in self.configs}
        for fit in self.fits:
            grouped[fit.job.config.digest].append(fit)
        return {key: tuple(fits) for key, fits in grouped.items()}

    def of(self, config: Config) -> tuple[Fit, ...]:
        """Return the Fits of one Config, in the order of seeds."""
        return self._by_config[config.digest]

    def completed(self, config: Config) -> tuple[Fit, ...]:
        """Return the completed Fits of one Config: the ones that means are over."""
        return tuple(fit for fit in self.of(config) if fit.outcome is Outcome.COMPLETED)

    @cached_property
    def metrics(self) -> tuple[str, ...]:
        """The metrics that Fits of this sweep measured, losses first."""
        return tuple(dict.fromkeys(name for fit in self.fits for name in fit.curves.values))

    def same_under_every_seed(self) -> list[Config]:
        """Return the Configs whose seeds all gave the same numbers: their values have no interval."""
        finals = {config.digest: [fit.final for fit in self.completed(config)] for config in self.configs}
        return [c for c in self.configs if _alike(finals[c.digest])]

    def causes(self, config: Config | None = None) -> Counter[str]:
        """Return why Fits failed, of one Config or of all, and how often: the most frequent cause first."""
        fits = self.fits if config is None else self.of(config)
        found = Counter(fit.cause or "unknown" for fit in fits if fit.outcome is Outcome.FAILED)
        return Counter(dict(found.most_common()))

    def mixed_versions(self) -> dict[str, list[str]]:
        """Return the libraries of which these Fits were trained with more than one version, and which."""
        found: dict[str, set[str]] = {}
        for fit in self.fits:
            for name, version in (fit.provenance.versions if fit.provenance else {}).items():
                found.setdefault(name, set()).add(version)
        return {name: sorted(versions) for name, versions in found.items() if len(versions) > 1}

    def intervals(self, config: Config) -> dict[str, Interval]:
        """Return final metrics of a Config as means over its completed Fits with Student-t intervals.

        ``gap/loss`` is validation minus train loss, paired within seeds. Empty where nothing completed, and where
        some were given up: others may have stopped early before, and survivors flatter.
        """
        if any(fit.outcome is Outcome.PRUNED for fit in self.of(config)):
            return {}
        return self._intervals([fit.final for fit in self.completed(config)])

    def constants(self) -> list[tuple[dict[str, Any], dict[str, Interval]]]:
        """Return the constant predictor once for each way the data are set up.

        Each with the swept data keys and its metrics as means over the splits, one a seed.
        """
        swept = {
            data_key(config): {k: v for k, v in config.swept.items() if k.startswith("data.") and k not in SEEN}
            for config in self.configs
        }
        per_seed: dict[str, dict[int, Mapping[str, float]]] = {key: {} for key in swept}
        for fit in self.fits:
            if fit.null:
                per_seed[data_key(fit.job.config)][fit.job.seed] = fit.null
        return [
            (swept[key], self._intervals([found[seed] for seed in sorted(found)])) for key, found in per_seed.items()
        ]

    def beside_constants(self) -> list[str]:
        """Return what stands under verdict in the rows of ``constants``: that nothing beats it, where that is so."""
        said: dict[str, str] = {}
        for config in self.configs:
            verdict = self.verdicts.by_config.get(config.digest)
            said[data_key(config)] = UNBEATEN if verdict and verdict.unbeaten else ""
        return [*said.values()]

    def _intervals(self, rows: Sequence[Mapping[str, float]]) -> dict[str, Interval]:
        if not rows:
            return {}
        if _alike(rows):
            rows = rows[:1]  # the seeds change nothing: one value, said five times, has no spread to speak of
        samples = {name: np.array([row[name] for row in rows]) for name in rows[0]}
        samples["gap/loss"] = samples["loss/val"] - samples["loss/train"]
        level = self.spec.diagnosis.level
        return {name: t_interval(s, level) for name, s in samples.items() if np.isfinite(s).all()}

    def best(self) -> tuple[Config, ...]:
        """Return the Config that is best at the objective, or, for several, those of the Pareto set.

        Only Configs that completed on every seed take part, for survivors flatter, and none whose verdict is that it
        diverged. In the order of the sweep.
        """
        objectives, seeds = self.spec.sweep.objective, len(self.spec.seeds.values)
        lost = {d for d, verdict in self.verdicts.by_config.items() if verdict.label is Label.DIVERGED}
        whole = [c for c in self.configs if len(self.completed(c)) == seeds and c.digest not in lost]
        signs = np.array([-1.0 if objective.maximize else 1.0 for objective in objectives])
        scores = {c.digest: signs * [score(o, self.completed(c)) for o in objectives] for c in whole}
        finite = {digest: values for digest, values in scores.items() if np.isfinite(values).all()}

        def beaten(values: Floats) -> bool:
            return any((other <= values).all() and (other < values).any() for other in finite.values())

        best = [config for config in whole if config.digest in finite and not beaten(finite[config.digest])]
        return tuple(best if len(objectives) > 1 else best[:1])

    def table(self) -> pd.DataFrame:
        """Return a row per Config, the constant predictor last.

        Columns: the swept keys; ``n`` completed Fits; the counts of other outcomes that occur; where Fits failed
        ``causes``, each with how often it occurred; then each final metric and ``gap/loss`` as mean, ``…/low`` and
        ``…/high``; then ``verdict``, empty until diagnosed; beside the constant predictor it says where nothing beats
        that. What was not measured is NaN.
        """
        counts = {config.digest: Counter(str(fit.outcome) for fit in self.of(config)) for config in self.configs}
        others = [o for o in Outcome if o is not Outcome.COMPLETED and any(c[o] for c in counts.values())]
        columns = [
            "loss/train",
            "loss/val",
            "gap/loss",
            *(m for m in self.metrics if not m.startswith("loss/")),
        ]

        why = {c.digest: "; ".join(f"{n} × {cause}" for cause, n in self.causes(c).items()) for c in self.configs}

        def row(
            swept: Mapping[str, Any],
            count: Mapping[str, int],
            found: dict[str, Interval],
            verdict: str = "",
            causes: str = "",
        ) -> dict[str, Any]:
            cells: dict[str, Any] = {key: swept.get(key) for key in domain_of(self.spec)}
            cells |= {
                "n": count.get(Outcome.COMPLETED, 0),
                **{str(other): count.get(other, 0) for other in others},
                **({"causes": causes} if Outcome.FAILED in others else {}),
            }
            for name in columns:
                one = found.get(name)
                values = (np.nan,) * 3 if one is None else (one.estimate, one.low, one.high)
                cells |= dict(zip((name, f"{name}/low", f"{name}/high"), values, strict=True))
            return {**cells, "verdict": verdict}

        said = {digest: verdict.text for digest, verdict in self.verdicts.by_config.items()}
        rows = [
            row(c.swept, counts[c.digest], self.intervals(c), said.get(c.digest, ""), why[c.digest])
            for c in self.configs
        ]
        constants = self.constants()
        for (swept, null), beside in zip(constants, self.beside_constants(), strict=True):
            rows.append(row(swept, {Outcome.COMPLETED: null["loss/val"].n if null else 0}, null, beside))
        names = [config.digest[:12] for config in self.configs]
        return pd.DataFrame(rows, index=pd.Index([*names, *[CONSTANT] * len(constants)], name="config"))

    def curves(self, constant: bool = False) -> pd.DataFrame:
        """Return every curve, tidy: config, seed, epoch, split, metric, value, outcome (of the Fit, in all its rows).

        A Fit that measured nothing has no row.
        constant: whether rows of the constant predictor follow, at epoch 0, where all Configs share their data.
        Raises ValueError where they do not.
        """
        frames = [*self._curve_frames(), *(self._constant_frames() if constant else ())]
        columns = [*COLUMNS, "outcome"]
        return pd.concat(frames, ignore_index=True)[columns] if frames else pd.DataFrame(columns=columns)

    def parameters(self) -> pd.DataFrame:
        """Return what was measured of weights and biases, tidy: config, seed, epoch, layer, role, metric, value.

        For each Fit at every epoch of which it kept them; see ``fitlab.parameters.measured``. What is not applicable
        has no row. Weights are read from the store. Raises StoreError where they are gone.
        """
        columns = ["config", "seed", *measured.COLUMNS]
        frames = [
            measured.parameters_of(fit).table().assign(config=fit.job.config.digest[:12], seed=fit.job.seed)
            for fit in self.fits
            if fit.kept
        ]
        return pd.concat(frames, ignore_index=True)[columns] if frames else pd.DataFrame(columns=columns)

    def parameter_means(self, config: Config, epoch: int | None = None) -> dict[measured.Key, Interval]:
        """Return each number of a Config's parameters as the mean over its completed Fits with a Student-t interval.

        epoch: one of those of which weights were kept; None: the last one of each Fit. By layer, role and metric, see
        ``fitlab.parameters.measured``; n says over how many seeds it is. What is not finite is left out.
        """
        fits = [fit for fit in self.completed(config) if fit.kept]
        found = [one.last if epoch is None else one.values.get(epoch, {}) for one in map(measured.parameters_of, fits)]
        samples = {
            key: [one[key] for one in found if key in one] for key in dict.fromkeys(k for one in found for k in one)
        }
        level = self.spec.diagnosis.level
        return {key: t_interval(values, level) for key, values in samples.items() if np.isfinite(values).all()}

    def _curve_frames(self) -> Iterator[pd.DataFrame]:
        for fit in self.fits:
            for name, curve in fit.curves.values.items():
                metric, split = name.split("/")
                yield pd.DataFrame({"epoch": fit.curves.epoch, "value": curve}).assign(
                    config=fit.job.config.digest[:12],
                    seed=fit.job.seed,
                    split=split,
                    metric=metric,
                    outcome=str(fit.outcome),
                )

    def _constant_frames(self) -> Iterator[pd.DataFrame]:
        if len({data_key(config) for config in self.configs}) > 1:
            raise ValueError("Configs on different data have different constant predictors; take one data set-up")
        for seed, null in sorted({fit.job.seed: fit.null for fit in self.fits if fit.null}.items()):
            metrics, splits = zip(*(name.split("/") for name in null), strict=True)
            yield pd.DataFrame({"metric": metrics, "split": splits, "value": [*null.values()]}).assign(
                config=CONSTANT, seed=seed, epoch=0, outcome=str(Outcome.COMPLETED)
            )
