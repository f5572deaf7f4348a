"""Labels for the predictions that Fits keep: whether the probabilities of a Config are what they say."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from fitlab.data import Arrays
from fitlab.diagnosis.naming import name_of
from fitlab.errors import FitlabError
from fitlab.records import Config
from fitlab.runner.workers import Bench
from fitlab.sweep import Sweep
from fitlab.theory.calibration import BINS, Calibration, calibrated, said


def calibration(
    sweep: Sweep,
    config: Config | None = None,
    *,
    part: Literal["val", "test"] = "val",
    bins: int = BINS,
    data: Arrays | None = None,
) -> Calibration:
    """Return whether the predicted probabilities of a Config are what they say, on its validation rows.

    Of each row the most probable class counts: how probable it was said to be, and whether it was the true one.
    config: the one that validation chooses, if none is given. part: test rows are shown for that one alone, since they
    are not to choose by. data: (X, y) of a sweep on arrays. Nothing is trained again.
    Raises FitlabError for regressors, hard classifiers and Configs without predictions, SpecError without the data.
    """
    chosen = _selected(sweep)
    shown = chosen if config is None else config
    if shown is None:
        raise FitlabError("calibration of which Config? Give one of sweep.configs")
    if part not in ("val", "test"):
        raise FitlabError(f"part must be val or test, got {part!r}")
    if part == "test" and shown != chosen:
        raise FitlabError(
            f"test rows are shown for the selected Config alone ({name_of(chosen) if chosen else 'there is none'}), "
            f"not for {name_of(shown)}: they are not to choose by; take part='val'"
        )
    fits = [fit for fit in sweep.completed(shown) if part in fit.predictions]
    if not fits:
        raise FitlabError(f"{name_of(shown)}: no completed Fit has predictions for {part} rows")
    if fits[0].sizes.get("n_outputs", 2) == 1 and not fits[0].classes:
        raise FitlabError(f"{name_of(shown)} is a regressor: calibration is of probabilities of classes")
    bench = Bench(arrays=data)
    splits = [bench.split(fit.job) for fit in fits]
    labels = [one.y_val if part == "val" else one.y_test for one in splits]
    seeds = [
        said(fit.predictions[part], y, one.weights.get(part)) for fit, y, one in zip(fits, labels, splits, strict=True)
    ]
    found = calibrated(seeds, bins, sweep.spec.diagnosis.level)
    return replace(found, sweep=sweep, config=shown, part=part, classes=splits[0].n_outputs)


def _selected(sweep: Sweep) -> Config | None:
    """Return the Config that validation chooses; of one the only one."""
    if sweep.verdicts.selection is not None:
        return next(one for one in sweep.configs if one.digest == sweep.verdicts.selection.config)
    return sweep.configs[0] if len(sweep.configs) == 1 else None
