"""Verdicts where the truth is known: closed forms, and losses made to a pattern."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from conftest import PROVE
from truths import bins, candidate, constant, polynomial, ridge

from fitlab.diagnosis import Candidate, Candidates, Decision, Rule, decide
from fitlab.records import Floats, Outcome
from fitlab.verdicts import Label

RULE = Rule()
DRAWS = 200 if PROVE else 30
PENALTIES = (0.01, 1.0, 10.0, 20.0, 100.0, 1000.0)
OVER, UNDER, GOOD, UNSURE = Label.OVERFIT, Label.UNDERFIT, Label.GOOD, Label.INCONCLUSIVE


def leans(decisions: tuple[Decision, ...]) -> list[Label]:
    return [decision.leaning or decision.label for decision in decisions]


@pytest.mark.parametrize("axis", [False, True], ids=["curves only", "capacity axis"])
def test_ridge_below_at_and_above_its_best_penalty(axis: bool) -> None:
    """Test losses 1.40 1.37 1.27 1.25 1.43 1.94, margin .10: the ends are 1.5 and 7 margins too high."""
    truth = (OVER, OVER, GOOD, GOOD, UNDER, UNDER)
    drawn = [decide(ridge(5, stream, PENALTIES, axis), RULE) for stream in range(DRAWS)]
    labels = np.array([[d.label for d in decisions] for decisions in drawn])
    assert (labels[:, -1] == UNDER).mean() >= 0.9
    assert (labels[:, 2:4] == GOOD).mean() >= 0.8
    for place, true in enumerate(truth):
        assert set(labels[:, place]) <= {true, GOOD, UNSURE}, "never the wrong way"
    assert (labels[:, [0, 1, 4]] == GOOD).mean() <= 0.1  # just outside the margin: .05 is nominal
    assert np.mean([leans(decisions)[0] == OVER for decisions in drawn]) >= 0.5


def test_a_gap_is_not_overfitting() -> None:
    """At its best penalty ridge has a gap of 2σ²df/n, half of its training loss; more penalty has less and is worse."""
    best, worse = decide(ridge(5, 0, (20.0, 1000.0)), RULE)
    gaps = [d.reasons["val"].estimate - d.reasons["train"].estimate for d in (best, worse)]
    assert gaps[0] > 0.5 * best.reasons["train"].estimate > gaps[1]
    assert (best.label, worse.label) == (GOOD, UNDER)


def test_polynomials_too_stiff_right_and_harmlessly_too_flexible() -> None:
    """Test losses .4058 .2285 .0137 .0118 .0130 .0153: at a margin of .02 degree 15 is overfit and not material."""
    truth = [UNDER, UNDER, GOOD, GOOD, GOOD, GOOD]
    for stream in range(DRAWS // 3):
        decisions = decide(polynomial(5, stream, (0, 1, 3, 4, 8, 15)), RULE)
        assert [d.label for d in decisions] == truth
        assert decisions[-1].reasons["distance"].high < 0


def test_a_narrow_margin_finds_the_harmless_overfit() -> None:
    decisions = decide(polynomial(20, 0, (0, 1, 3, 4, 8, 15)), Rule(margin=0.003))
    assert [decisions[i].label for i in (0, 1, 3, 5)] == [UNDER, UNDER, GOOD, OVER]


def test_class_frequencies_in_too_few_and_too_many_bins() -> None:
    """Log-loss: one bin is the class prior, 100 bins learn the labels of two points each."""
    drawn = [decide(bins(5, stream, (1, 2, 8, 100)), RULE) for stream in range(DRAWS)]
    for place, truth in ((0, UNDER), (2, GOOD), (3, OVER)):
        labels = [decisions[place].label for decisions in drawn]
        assert set(labels) <= {truth, UNSURE}
        assert labels.count(truth) >= 0.8 * DRAWS


# Losses made to a pattern: noise of .01 around known curves, the constant predictor at 1, so a margin of .05

EPOCHS = np.arange(101)
FALLING = np.maximum(0.3, 1 - EPOCHS / 50)  # down at epoch 35, then flat


def noisy(*curves: tuple[Floats, Floats], seeds: int = 5, **more: object) -> Candidates:
    rng = np.random.default_rng(0)
    made = [
        candidate(*(np.asarray(x) + 0.01 * rng.standard_normal((seeds, np.size(x))) for x in pair), **more)
        for pair in curves
    ]
    return constant(made, 1 + 0.01 * rng.standard_normal((2, seeds)))


def test_directions_along_epochs() -> None:
    best = (FALLING, FALLING + 0.1)
    too_long = (FALLING - EPOCHS / 500, FALLING + 0.1 + np.maximum(0, EPOCHS - 40) / 100)
    stopped_early = (1 - EPOCHS / 250, 1 - EPOCHS / 250 + 0.05)
    stiff = (np.maximum(0.6, FALLING), np.maximum(0.6, FALLING) + 0.05)
    spiked = (FALLING + 3 * (EPOCHS == 20) + 0.3, FALLING + 0.5)
    decisions = decide(noisy(best, too_long, stopped_early, stiff, spiked), RULE)
    labels = [GOOD, OVER, Label.NOT_CONVERGED, UNDER, Label.UNSTABLE]
    assert [d.label for d in decisions] == labels
    assert [d.deciding for d in decisions] == ["rival", "regret", "gain", "distance", "spike"]
    assert decisions[1].reasons["regret"].estimate == pytest.approx(0.6, abs=0.02)
    assert decisions[2].reasons["gain"].estimate == pytest.approx(np.log(2) * 0.29, abs=0.03)  # slope .4·t near t = .73
    assert {d.reference for d in decisions} == {0}


def test_good_and_interpolating_is_benign() -> None:
    decisions = decide(noisy(([0.0], [0.2]), ([0.2], [0.5])), RULE)
    assert decisions[0].label is Label.BENIGN


def test_a_large_gap_vetoes_underfit() -> None:
    """Averaged probabilities: training loss above the best one's floor, though most of the excess is gap."""
    smoothed, best = ([0.45], [0.9]), ([0.3], [0.4])
    decision, _ = decide(noisy(smoothed, best), RULE)
    assert (decision.label, decision.leaning, decision.seeds_needed) == (UNSURE, OVER, None)
    stiff = ([0.8], [1.0])  # as large a gap, but most of the excess is distance
    assert decide(noisy(stiff, best), RULE)[0].label is UNDER


def test_second_descent_contradicts_the_side_of_the_reference() -> None:
    """The best is the largest; the peak in the middle interpolates: less capacity, but it learned noise."""
    small, peak, large = ([0.5], [0.6]), ([0.0], [0.9]), ([0.0], [0.3])
    sweep = noisy(small, peak, large)
    placed = replace(sweep, configs=tuple(replace(c, capacity=float(i)) for i, c in enumerate(sweep.configs)))
    decisions = decide(placed, RULE)
    assert [d.double_descent for d in decisions] == [False, True, False]
    assert [(d.label, d.leaning) for d in decisions] == [(UNDER, None), (UNSURE, OVER), (Label.BENIGN, None)]
    other = replace(placed, configs=(*placed.configs[:2], replace(placed.configs[2], group="other")))
    assert [d.label for d in decide(other, RULE)][:2] == [UNDER, OVER], "no side against another group"


def test_nothing_beats_the_constant_predictor() -> None:
    sweep = noisy(([0.2], [1.5]), ([0.9], [1.2]))
    decisions = decide(sweep, RULE)
    assert [d.label for d in decisions] == [OVER, OVER]
    assert {d.reference for d in decisions} == {None}


# What is missing, and what is at the edge


def test_seeds_that_diverged_failed_or_are_missing() -> None:
    fine, nan = ([0.3, 0.2], [0.4, 0.3]), np.nan
    sweep = noisy(*[fine] * 7)
    done, lost, failed, pruned = Outcome.COMPLETED, Outcome.DIVERGED, Outcome.FAILED, Outcome.PRUNED
    ends: list[tuple[Outcome | None, ...]] = [
        (done,) * 5,
        (lost, done, done, done, done),
        (lost, lost, lost, done, failed),
        (failed, failed, done, done, done),
        (pruned,) * 5,
        (done, done, None, None, done),
        (lost, pruned, pruned, pruned, pruned),
    ]
    configs = []
    for config, outcomes in zip(sweep.configs, ends, strict=True):
        gone = np.array([outcome is not done for outcome in outcomes])[:, None]
        parts = {part: np.where(gone, nan, getattr(config, part)) for part in ("train", "val")}
        configs.append(replace(config, outcomes=outcomes, **parts))
    decisions = decide(replace(sweep, configs=tuple(configs)), RULE)
    assert [str(d.label) for d in decisions] == [
        "good",
        "unstable",
        "diverged",
        "not_assessed",
        "not_assessed",
        "not_assessed",
        "unstable",
    ]
    assert decisions[3].because == "2 of 5 Fits failed"
    assert decisions[4].because == "pruned at epoch 1"
    assert decisions[5].because == "2 of 5 Fits are missing"


def test_a_config_of_which_nothing_was_measured_is_not_assessed() -> None:
    sweep = noisy(([0.3], [0.4]), ([0.3], [0.4]))
    nothing = Candidate(np.empty(0, np.int64), np.empty((5, 0)), np.empty((5, 0)), (Outcome.FAILED,) * 5)
    decision = decide(replace(sweep, configs=(*sweep.configs, nothing)), RULE)[-1]
    assert (decision.label, decision.because) == (Label.NOT_ASSESSED, "5 of 5 Fits failed")


@pytest.mark.parametrize("end", [np.nan, np.inf, 1.2], ids=str)
def test_a_loss_that_ends_above_its_start_or_not_finite_has_diverged(end: float) -> None:
    sweep = noisy((FALLING, FALLING), (FALLING, FALLING))
    blown = sweep.configs[0].train.copy()
    blown[:3, -1] = end
    configs = (replace(sweep.configs[0], train=blown), sweep.configs[1])
    assert decide(replace(sweep, configs=configs), RULE)[0].label is Label.DIVERGED


def test_without_an_epoch_axis_a_high_training_loss_is_no_divergence() -> None:
    assert decide(noisy(([1.4], [1.5]), ([0.3], [0.4])), RULE)[0].label is UNDER


def test_an_infinite_loss_in_the_middle_is_a_spike() -> None:
    sweep = noisy((FALLING, FALLING), (FALLING + 0.3, FALLING + 0.3))
    broken = sweep.configs[1].train.copy()
    broken[:, 10] = np.inf
    decision = decide(replace(sweep, configs=(sweep.configs[0], replace(sweep.configs[1], train=broken))), RULE)[1]
    assert (decision.label, decision.deciding) == (Label.UNSTABLE, "spike")


def test_what_is_plainly_worse_than_the_best_one_is_not_nearly_good() -> None:
    """Two Configs fail under one seed each: what the other seeds find best is then worse than anything."""
    losses = [[0.31, 0.32, 0.31], [0.30, 0.30, 0.80], [0.30, 0.81, 0.305], [0.50, 0.51, 0.50]]
    sweep = constant([candidate(np.full(3, 0.3), np.array(val)) for val in losses], np.full((2, 3), 0.672))
    worst = decide(sweep, RULE)[-1]
    assert (worst.label, worst.reference) == (UNSURE, 0)
    assert worst.reasons["excess"].estimate < 0, "against what the other seeds find best"
    assert worst.reasons["above_best"].estimate > 5 * sweep.margin(RULE)
    assert worst.leaning is not GOOD
    assert "above_best" not in decide(sweep, RULE)[0].reasons


def test_one_seed_is_inconclusive_and_leans() -> None:
    decisions = decide(noisy(([0.3], [0.4]), ([0.0], [0.9]), seeds=1), RULE)
    assert [(d.label, d.leaning, d.n, d.because) for d in decisions] == [
        (UNSURE, GOOD, 1, "one seed"),
        (UNSURE, OVER, 1, "one seed"),
    ]
    assert np.isnan(decisions[0].reasons["val"].low)


def test_seeds_that_change_nothing_are_one_seed() -> None:
    sweep = constant([candidate(np.full(5, t), np.full(5, v)) for t, v in ((0.3, 0.4), (0.0, 0.9))], np.ones((2, 5)))
    decisions = decide(sweep, RULE)
    assert [(d.label, d.leaning, d.n) for d in decisions] == [(UNSURE, GOOD, 1), (UNSURE, OVER, 1)]
    assert "change nothing" in decisions[0].because


def test_zero_variance_of_differences_is_certainty() -> None:
    """Differences that are the same under all seeds, of losses that are not."""
    shift = np.linspace(0, 0.2, 5)
    sweep = constant([candidate(0.3 + shift, 0.4 + shift), candidate(shift, 0.9 + shift)], np.ones((2, 5)) + shift)
    assert [d.label for d in decide(sweep, RULE)] == [GOOD, OVER]


def alone(train: Floats, val: Floats) -> Decision:
    return decide(noisy((train, val)), RULE)[0]


def test_a_lone_config_is_compared_with_the_constant_and_itself_at_other_epochs() -> None:
    good = alone(FALLING, FALLING + 0.1)
    assert good.label is GOOD
    assert "alone" in good.because
    assert alone(FALLING - EPOCHS / 500, FALLING + 0.1 + np.maximum(0, EPOCHS - 40) / 100).label is OVER
    assert alone(1 - EPOCHS / 250, 1.02 - EPOCHS / 250).label is Label.NOT_CONVERGED
    assert alone([0.2], [1.5]).label is OVER
    assert alone([0.3], [0.4]).label is GOOD


def test_no_config_and_no_margin() -> None:
    assert decide(constant([], np.ones((2, 5))), RULE) == ()
    for null in (0.0, np.nan, np.inf, -1.0):
        decision = decide(constant([candidate(np.ones(5), np.ones(5))], np.full((2, 5), null)), RULE)[0]
        assert decision.label is Label.NOT_ASSESSED


def test_all_configs_tied() -> None:
    shift = np.linspace(0, 0.3, 5)
    same = candidate(0.2 + shift, 0.3 + shift)
    decisions = decide(constant([same] * 4, np.ones((2, 5))), RULE)
    assert {d.label for d in decisions} == {GOOD}
    assert decisions[0].reasons["excess"].high == 0


def overfitting(scaled: Floats) -> Decision:
    """The decision about a Config whose excess over the other one, in margins on the asinh scale, is given. (S,)"""
    shift, margin = np.linspace(0, 0.1, len(scaled)), 0.05
    excess = margin * np.sinh(scaled)
    best, other = candidate(0.3 + shift, 0.4 + shift), candidate(shift, 0.4 + shift + excess)
    return decide(constant([best, other], np.ones((2, len(scaled)))), RULE)[1]


def test_seeds_needed_reach_the_power_that_is_promised() -> None:
    """Where mean and spread are what the few seeds said: with as many seeds as it says, .80 are decided."""
    rng = np.random.default_rng(0)
    mean, spread, few = np.arcsinh(3.0), 1.0, np.array([-1.5, -0.5, 0.5, 1.5])
    first = overfitting(mean + spread * few / few.std(ddof=1))
    assert (first.label, first.leaning) == (UNSURE, OVER)
    draws = [overfitting(mean + spread * rng.standard_normal(first.seeds_needed)) for _ in range(10 * DRAWS)]
    assert np.mean([d.label is OVER for d in draws]) == pytest.approx(RULE.power, abs=0.1)


def test_resplit_seeds_widen_all_intervals() -> None:
    sweep = ridge(5, 0, PENALTIES)
    plain, wide = decide(sweep, RULE), decide(sweep, Rule(resplit=1 / 3))
    for one, other in zip(plain, wide, strict=True):
        a, b = one.reasons["distance"], other.reasons["distance"]
        margin = sweep.margin(RULE)
        widths = [np.arcsinh(x.high / margin) - np.arcsinh(x.low / margin) for x in (a, b)]
        assert widths[1] == pytest.approx(widths[0] * np.sqrt(1 + 5 / 3))


def test_intervals_of_differences_cover() -> None:
    """D of the best penalty: over draws its interval holds its mean on the scale of comparison, at about its level."""
    margin = 0.1
    drawn = [decide(ridge(5, stream, PENALTIES), RULE)[5].reasons["excess"] for stream in range(10 * DRAWS)]
    centre = np.mean([np.arcsinh(i.estimate / margin) for i in drawn])
    inside = [np.arcsinh(i.low / margin) <= centre <= np.arcsinh(i.high / margin) for i in drawn]
    assert abs(np.mean(inside) - RULE.level) < 0.05


def test_a_candidate_is_not_changed() -> None:
    sweep = ridge(5, 0, PENALTIES)
    before = [config.val.copy() for config in sweep.configs]
    decide(sweep, RULE)
    assert all((config.val == kept).all() for config, kept in zip(sweep.configs, before, strict=True))
    assert isinstance(sweep.configs[0], Candidate)
