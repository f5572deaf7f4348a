"""Student's t on real losses: fixed Configs, hundreds to thousands of fresh groups of seeds, the true mean from others.

What is asked: coverage within 2 points of nominal from 3 seeds up. Tolerance on top of these: four binomial standard
errors of the number of groups.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
from conftest import PROVE
from families import FRESH, drawn, polynomial

from fitlab import data, space, trainers
from fitlab.records import Config, Job
from fitlab.spec import read_spec
from fitlab.stats import moderated_half_widths, t_interval

LEVELS, SEEDS = (0.90, 0.95), (3, 5, 10)


def coverage(values: np.ndarray, truth: float, seeds: int, level: float) -> float:
    """Share of groups of ``seeds`` values whose t interval holds the truth."""
    groups = values[: len(values) // seeds * seeds].reshape(-1, seeds)
    half = moderated_half_widths(groups, level, prior_df=0)
    first = t_interval(groups[0], level)
    assert half[0] == pytest.approx((first.high - first.low) / 2)  # the same thing, many at a time
    return float(np.mean(np.abs(groups.mean(axis=1) - truth) <= half))


def check(values: np.ndarray, truth: float, what: str) -> None:
    for seeds in SEEDS:
        for level in LEVELS:
            error = math.sqrt(level * (1 - level) / (len(values) // seeds))
            covered = coverage(values, truth, seeds, level)
            assert abs(covered - level) <= 0.02 + 4 * error, f"{what}: {covered:.3f} of {level} at S = {seeds}"


@pytest.mark.slow
@pytest.mark.parametrize("name", FRESH)
def test_means_and_paired_differences_on_fresh_data_are_covered(name: str) -> None:
    count = 200_000 if PROVE else 40_000
    truth = {what: losses.mean() for what, losses in drawn(FRESH[name], 1, count).items()}
    for what, losses in drawn(FRESH[name], 2, count).items():
        check(losses, truth[what], f"{name}, {what}")


@pytest.mark.slow
def test_heavy_tails_are_the_limit() -> None:
    """Degree 4 on 30 random points explodes at the border now and then (skewness 48): nothing at S = 10 can know."""
    count = 200_000 if PROVE else 100_000
    losses = drawn(polynomial, 2, count)
    check(losses["one Config"], drawn(polynomial, 1, count)["one Config"].mean(), "degree 1")
    truth = drawn(polynomial, 1, 200_000)["the other"].mean()
    assert 0.80 < coverage(losses["the other"], truth, 10, 0.90) < 0.86


def net_loss(config: Config, dataset: data.Dataset, seed: int) -> float:
    job = Job(config, seed, ("split", "init", "order"), dataset.fingerprint, trainers.version(config.sections))
    split = data.split(dataset, config.sections.data, job.stream("split"))
    state = trainers.advance(trainers.start(job, split), split, trainers.end(config.sections), lambda: False)
    return trainers.finish(state, split).final["loss/val"]


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["wine", "diabetes"] if PROVE else ["wine"])
def test_nets_on_re_splits_of_one_data_set_are_covered_for_that_data_set(kind: str) -> None:
    """fitlab's own kernel, 1 and 8 hidden units, 5 epochs: the truth is the mean over re-splits of these data."""
    document = read_spec(
        {
            "name": "nets",
            "question": "Is the mean over seeds where the interval says?",
            "data": {"kind": kind},
            "model": {"kind": "mlp"},
            "training": {"epochs": 5, "learning_rate_init": 0.02, "batch_size": 32},
            "seeds": 2,
            "sweep": {"parameters": {"model.hidden_layer_sizes": {"values": [[1], [8]]}}},
        }
    )
    dataset, (small, large) = data.load(document.spec.data), space.configs(document)
    count = 10_000 if PROVE else 2000
    a, b = (np.array([net_loss(config, dataset, seed) for seed in range(count)]) for config in (small, large))
    for what, losses in (("1 unit", a), ("8 units", b), ("their difference", a - b)):
        check(losses, losses.mean(), f"{kind}, {what}")  # the truth from as many seeds: its error is a tenth of one's
