"""Checks of single Configs against losses made to a pattern: found where it is there, clear where it is not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from test_laws import sweeps
from truths import candidate, constant, polynomial

from fitlab.diagnosis import Candidate, Candidates, Rule, examine
from fitlab.records import Floats, Outcome
from fitlab.verdicts import Check, Severity, State

RULE = Rule()
EPOCHS = np.arange(101)
FALLING = np.maximum(0.3, 1 - EPOCHS / 50)
FOUND, CLEAR, IDLE = State.FOUND, State.CLEAR, State.NOT_APPLICABLE


def noisy(train: Floats, val: Floats, noise: float = 0.01, **more: object) -> Candidate:
    rng = np.random.default_rng(0)
    seeds = 5
    pair = (np.asarray(x) + noise * rng.standard_normal((seeds, np.size(x))) for x in (train, val))
    return candidate(*pair, **more)


FINE = noisy(FALLING, FALLING + 0.1, accuracy=np.full(5, 0.9))


def checks(config: Candidate, kind: str = "log_loss") -> dict[str, Check]:
    """The checks of a Config beside a fine one, under a constant predictor at 1: the margin is .05."""
    seeds = len(config.outcomes)
    fine = replace(FINE, train=FINE.train[:seeds], val=FINE.val[:seeds], outcomes=FINE.outcomes[:seeds])
    null = 1 + 0.01 * np.random.default_rng(1).standard_normal((2, seeds))
    return {check.code: check for check in examine(constant([config, fine], null, kind), RULE)[0]}


def codes(config: Candidate) -> set[str]:
    return {code for code, check in checks(config).items() if check.state is FOUND}


PEAKED = 0.4 + 0.6 * np.exp(-(((EPOCHS - 20) / 10) ** 2))  # as low before as after
GROKKING = np.where(EPOCHS < 45, 3.0, 0.1)
PATTERNS = {
    "nothing": (FINE, set()),
    "val rises": (noisy(FALLING - EPOCHS / 500, FALLING + np.maximum(0, EPOCHS - 40) / 200), {"FIT001"}),
    "still falls": (noisy(1 - EPOCHS / 250, 1 - EPOCHS / 250), {"FIT002"}),
    "spike": (noisy(FALLING + 2 * (EPOCHS == 20), FALLING), {"FIT003"}),
    "worse than the constant": (noisy([0.5], [1.3]), {"FIT005"}),
    "hardly worse than the constant": (noisy([0.5], [1.03], noise=0.001), set()),
    "interpolates": (noisy([0.0], [0.4], noise=0.001), {"FIT006"}),
    "too sure": (noisy([0.1], [0.8], accuracy=np.full(5, 0.89)), {"FIT007"}),
    "errs more": (noisy([0.1], [0.8], accuracy=np.full(5, 0.85)), set()),
    "seeds disagree": (candidate(np.full(5, 0.3), np.array([0.4, 0.42, 0.9, 0.41, 0.8])), {"FIT008"}),
    "generalises late": (noisy(np.maximum(0.2, 1 - EPOCHS / 5), GROKKING), {"FIT009"}),
    "comes down from a peak": (noisy(np.maximum(0.2, 1 - EPOCHS / 8), PEAKED), set()),
    "generalises with training": (noisy(np.maximum(0.2, 1 - EPOCHS / 40), GROKKING), set()),
}


@pytest.mark.parametrize("name", PATTERNS)
def test_what_is_there_is_found_and_nothing_else(name: str) -> None:
    config, expected = PATTERNS[name]
    assert codes(config) == expected


def test_divergence_under_some_seeds() -> None:
    outcomes = (Outcome.DIVERGED, *FINE.outcomes[1:])
    config = replace(FINE, train=np.where([[True], *[[False]] * 4], np.nan, FINE.train), outcomes=outcomes)
    found = checks(config)
    assert found["FIT004"].said == "under 1 of 5 seeds"
    assert {check.state for code, check in found.items() if code != "FIT004"} == {IDLE}
    assert "not all seeds completed" in found["FIT001"].said


def test_what_does_not_apply_says_why() -> None:
    plain = noisy([0.3], [0.4])
    assert {c: x.said for c, x in checks(plain).items() if x.state is IDLE} == {
        "FIT001": "no epoch axis",
        "FIT002": "no epoch axis",
        "FIT003": "no epoch axis",
        "FIT007": "its accuracy or that of the best Config is not known",
        "FIT009": "no epoch axis",
    }
    assert checks(plain, "squared_error")["FIT007"].said == "the loss is not log-loss"
    one = replace(FINE, train=FINE.train[:1], val=FINE.val[:1], outcomes=FINE.outcomes[:1])
    of_intervals = ("FIT001", "FIT002", "FIT005", "FIT007", "FIT008")
    assert {c: x.said for c, x in checks(one).items() if x.state is IDLE} == dict.fromkeys(of_intervals, "one seed")
    flat = noisy(0 * FALLING + 0.3, FALLING)
    assert checks(flat)["FIT009"].said == "its training loss did not fall by the margin"


def test_findings_name_numbers_and_advice() -> None:
    found = checks(PATTERNS["val rises"][0])["FIT001"]
    assert found.said.startswith("at epoch 100 validation loss is above that at its best, about 39, by 0.30")
    assert "[" in found.said
    assert found.advice
    assert not checks(FINE)["FIT001"].advice


@given(sweeps())
def test_every_config_gets_every_check(sweep: Candidates) -> None:
    for found in examine(sweep, RULE):
        assert [check.code for check in found] == [f"FIT00{i}" for i in range(1, 10)]
        for check in found:
            assert check.said or check.state is CLEAR
            assert (check.state is FOUND) == bool(check.advice)
            assert check.state is FOUND or check.severity is Severity.NOTE


def test_a_polynomial_through_all_points_interpolates() -> None:
    """29 is the degree of the polynomial through 30 points."""
    found = examine(polynomial(5, 0, (4, 29)), RULE)
    assert [checks[5].state for checks in found] == [CLEAR, FOUND]


def test_without_a_margin_there_are_no_checks() -> None:
    assert examine(constant([FINE], np.zeros((2, 5))), RULE) == ((),)
