"""Test rows for what theory says of a sweep: they are fetched here, and decomposed where nothing is fetched."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from fitlab.data import Arrays, expected_at
from fitlab.errors import FitlabError
from fitlab.records import Array, Config, Fit, Floats, Job, Outcome, Split
from fitlab.runner.workers import Bench
from fitlab.spec.teachers import FixedX
from fitlab.sweep import Sweep
from fitlab.theory import bias_variance as decomposed
from fitlab.theory.bias_variance import BiasVariance, Loss, Predicted
from fitlab.trainers.measures import CLIP


def bias_variance(sweep: Sweep, *, loss: Loss | None = None, data: Arrays | None = None) -> BiasVariance:
    """Return bias, variance and, where the truth is known, noise of every Config, from the Fits of a sweep.

    Nothing is trained again. All Configs are shown on test rows, so it is no ground to choose one of them.
    What the variance is over is what the seeds vary: ``BiasVariance.over`` says it.
    loss: squared_error, log_loss or zero_one_loss; by default the one of the curves. data: (X, y) of a sweep on arrays.
    Raises FitlabError for a loss that does not suit the predictions, SpecError where the data are not at hand.
    """
    bench = Bench(arrays=data)
    tested: list[Predicted] = []
    missing: dict[Config, str] = {}
    for config in sweep.configs:
        fits = [fit for fit in sweep.completed(config) if "test" in fit.predictions]
        if any(fit.outcome is Outcome.PRUNED for fit in sweep.of(config)):
            missing[config] = "pruned under some seeds: those that are left flatter it"
        elif len(fits) < 2:
            missing[config] = f"{len(fits)} of {len(sweep.spec.seeds.values)} seeds have predictions; it takes two"
        else:
            tested.append(_tested(bench, config, fits))
    seeds = next((fit.job.vary for fit in sweep.fits), sweep.spec.seeds.vary)
    said = decomposed.over(seeds, sweep.configs[0].sections.data)
    return decomposed.bias_variance(tested, missing, said, loss, sweep.spec.diagnosis.level)


def _tested(bench: Bench, config: Config, fits: Sequence[Fit]) -> Predicted:
    plain = [bench.split(_unscaled(fit.job)) for fit in fits]
    split = plain[0]
    if any(not np.array_equal(one.rows["test"], split.rows["test"]) for one in plain):
        raise FitlabError("seeds do not share their test rows; bias and variance need predictions of the same rows")
    said = [_in_units(fit.predictions["test"], bench.split(fit.job), split.y_test) for fit in fits]
    section = config.sections.data
    return Predicted(
        config,
        np.stack(said),
        split.y_test,
        len(split.classes),
        split.weights.get("test"),
        expected_at(section, split.X_test),
        _noise(split),
        not isinstance(section, FixedX),
    )


def _unscaled(job: Job) -> Job:
    """Return the job on the same rows in the units of the data: every seed has its own scale of features and target."""
    sections = job.config.sections
    section = sections.data.model_copy(update={"scaling": "none", "target_scaling": "none"})
    return replace(job, config=replace(job.config, sections=sections.model_copy(update={"data": section})))


def _in_units(predictions: Floats, split: Split, y: Array) -> Floats:
    """Return predictions in the units of y, clipped as in the loss where they are probabilities. y: (N,)"""
    if predictions.ndim == 2:
        return np.clip(predictions, CLIP, 1 - CLIP)
    if split.task == "classification" or np.array_equal(split.y_test, y):
        return predictions
    unit = float(y.std() / split.y_test.std())
    return np.asarray(y.mean() + unit * (predictions - split.y_test.mean()))


def _noise(split: Split) -> dict[Loss, float] | None:
    """Return what the best predictor loses on average, as far as it is known."""
    truth = split.truth
    if truth is None:
        return None
    if split.task == "regression":
        return None if truth.bayes_loss is None else {"squared_error": truth.bayes_loss}
    known: dict[Loss, float | None] = {"log_loss": truth.bayes_loss, "zero_one_loss": truth.bayes_error}
    return {loss: value for loss, value in known.items() if value is not None}
