"""A Sweep with its verdicts, and with what came of its expectations.

Validation chooses, and only then is the test part looked at.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from fitlab import expectations
from fitlab.data import Arrays
from fitlab.diagnosis import TestLosses, chosen, diagnose
from fitlab.errors import SpecError
from fitlab.records import Config
from fitlab.runner.theory import bias_variance
from fitlab.runner.workers import Bench
from fitlab.sweep import Sweep
from fitlab.trainers import measures


def diagnosed(sweep: Sweep, arrays: Arrays | None = None) -> Sweep:
    """Return a sweep with its verdicts, and with the test loss of the selected Config where its data are at hand.

    arrays: (X, y) where it was trained on arrays; without them its test loss is not known.
    """
    return replace(sweep, verdicts=diagnose(sweep, losses_on_test(sweep, chosen(sweep), arrays)))


def checked(sweep: Sweep, arrays: Arrays | None = None) -> Sweep:
    """Return a sweep with its verdicts and with what came of every expectation of its spec.

    It takes longer than ``diagnosed`` where these need weights or test predictions; once done it is handed on.
    """
    found = diagnosed(sweep, arrays)
    return replace(found, claims=expectations.checked(found, lambda loss: bias_variance(found, loss=loss, data=arrays)))


def losses_on_test(sweep: Sweep, config: Config | None, arrays: Arrays | None = None) -> TestLosses | None:
    """Return what a Config loses on test rows, by seed; None where its data are not at hand, or have changed."""
    fits = () if config is None else sweep.completed(config)
    if config is None or not all("test" in fit.predictions for fit in fits):
        return None
    bench, rows = Bench(arrays=arrays), []
    try:
        for fit in fits:
            split = bench.split(fit.job)
            rows.append(measures.losses(split.task, split.y_test, fit.predictions["test"]))
    except SpecError:
        return None
    table = np.stack(rows)  # (S, N): the test rows are the same for all seeds
    if not np.isfinite(table).all():
        return None
    by_row = table.mean(axis=0)
    error = float(by_row.std(ddof=1)) / math.sqrt(len(by_row)) if len(by_row) > 1 else 0.0
    return TestLosses(config.digest, table.mean(axis=1), error)
