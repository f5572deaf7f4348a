"""fitlab: does this network overfit, underfit, or fit well, and how sure are we?

Every public name is loaded when it is first used: ``import fitlab`` itself imports no other library.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fitlab.correlations import relations
    from fitlab.diagnosis import capacity_curves, diagnose
    from fitlab.errors import FitlabError, PublishError, SpecError, StoppedError, StoreError
    from fitlab.records import Config, Fit, Interval, Job, Outcome, Split
    from fitlab.runner.api import load, publish, run, split
    from fitlab.runner.calibration import calibration
    from fitlab.runner.elsewhere import from_mlflow
    from fitlab.runner.importance import importance
    from fitlab.runner.reports import report
    from fitlab.runner.theory import bias_variance
    from fitlab.spec import Spec
    from fitlab.sweep import Sweep
    from fitlab.theory.sample_size import sample_size_curves
    from fitlab.verdicts import Label, Verdict, Verdicts

_WHERE = {
    "Config": "fitlab.records",
    "Fit": "fitlab.records",
    "FitlabError": "fitlab.errors",
    "Interval": "fitlab.records",
    "Job": "fitlab.records",
    "Label": "fitlab.verdicts",
    "Outcome": "fitlab.records",
    "PublishError": "fitlab.errors",
    "Spec": "fitlab.spec",
    "SpecError": "fitlab.errors",
    "Split": "fitlab.records",
    "StoppedError": "fitlab.errors",
    "StoreError": "fitlab.errors",
    "Sweep": "fitlab.sweep",
    "Verdict": "fitlab.verdicts",
    "Verdicts": "fitlab.verdicts",
    "bias_variance": "fitlab.runner.theory",
    "calibration": "fitlab.runner.calibration",
    "capacity_curves": "fitlab.diagnosis",
    "diagnose": "fitlab.diagnosis",
    "from_mlflow": "fitlab.runner.elsewhere",
    "importance": "fitlab.runner.importance",
    "load": "fitlab.runner.api",
    "publish": "fitlab.runner.api",
    "relations": "fitlab.correlations",
    "report": "fitlab.runner.reports",
    "run": "fitlab.runner.api",
    "sample_size_curves": "fitlab.theory.sample_size",
    "split": "fitlab.runner.api",
}

__all__ = [
    "Config",
    "Fit",
    "FitlabError",
    "Interval",
    "Job",
    "Label",
    "Outcome",
    "PublishError",
    "Spec",
    "SpecError",
    "Split",
    "StoppedError",
    "StoreError",
    "Sweep",
    "Verdict",
    "Verdicts",
    "bias_variance",
    "calibration",
    "capacity_curves",
    "diagnose",
    "from_mlflow",
    "importance",
    "load",
    "publish",
    "relations",
    "report",
    "run",
    "sample_size_curves",
    "split",
]


def __getattr__(name: str) -> Any:
    if name in ("papers", "plots"):
        return import_module(f"fitlab.{name}")
    if name not in _WHERE:
        raise AttributeError(f"module 'fitlab' has no attribute {name!r}")
    return getattr(import_module(_WHERE[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
