"""Every kind of figure of a stored sweep: those of ``fitlab.plots``, and those that take data or a study to compute."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from fitlab.plots.importance import parameter_importance
from fitlab.plots.kinds import KINDS as OF_SWEEPS
from fitlab.plots.kinds import Drawing, Kind, panel, telling
from fitlab.plots.parts import bias_variance
from fitlab.plots.reliability import calibration
from fitlab.plots.shared import nothing
from fitlab.runner.calibration import calibration as calibrated
from fitlab.runner.importance import importance
from fitlab.runner.theory import bias_variance as decomposed
from fitlab.sweep import Sweep


def _bias_variance(sweep: Sweep) -> Iterator[Drawing]:
    figure, ax = panel()
    bias_variance(decomposed(sweep), sweep=sweep, ax=ax)
    yield "bias_variance", figure


def _importance(sweep: Sweep) -> Iterator[Drawing]:
    figure, ax = panel()
    parameter_importance(importance(sweep), ax=ax)
    yield "parameter_importance", figure


def _calibration(sweep: Sweep) -> Iterator[Drawing]:
    found = telling(sweep)
    if not found:
        raise nothing("no Config completed")
    for role in ("selected", "overfit"):
        if role in found:
            figure, ax = panel()
            calibration(calibrated(sweep, found[role]), ax=ax)
            yield f"calibration_{role}", figure


KINDS: Mapping[str, Kind] = {
    **OF_SWEEPS,
    "bias_variance": Kind("bias, variance and noise of test errors", _bias_variance),
    "parameter_importance": Kind("how much each swept parameter matters", _importance),
    "calibration": Kind("predicted probabilities against what came true", _calibration),
}
