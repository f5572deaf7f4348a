"""Laws: what a diagnosis must not depend on, and what it must say of every sweep."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from truths import candidate

from fitlab.diagnosis import Candidates, Decision, Rule, decide, examine
from fitlab.records import Outcome
from fitlab.verdicts import Label

RULE = Rule()
ENDS = (Outcome.COMPLETED,) * 12 + (Outcome.DIVERGED, Outcome.FAILED, Outcome.PRUNED, None)


@st.composite
def sweeps(draw: Callable, max_configs: int = 6, with_failures: bool = True) -> Candidates:
    """Sweeps of random curves: falling, rising, flat, spiking, noisy; some Fits diverged, failed, pruned, missing."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    seeds, configs = draw(st.integers(1, 6)), draw(st.integers(1, max_configs))
    made = [_curves(rng, seeds, with_failures) for _ in range(configs)]
    null = 1 + 0.1 * rng.standard_normal((2, seeds))
    return Candidates(tuple(made), null[0], null[1], "log_loss")


def _curves(rng: np.random.Generator, seeds: int, with_failures: bool) -> object:
    points = int(rng.choice([1, 2, 5, 30]))
    t = np.linspace(0, 1, points) if points > 1 else np.ones(1)
    noise = 10 ** rng.uniform(-3, -0.5)
    train = 1 - rng.uniform(0, 1) * t ** rng.uniform(0.2, 2) + noise * rng.standard_normal((seeds, points))
    val = train + rng.choice([0, 0.1, 1, 10]) * t**2 * rng.random() + noise * rng.standard_normal((seeds, points))
    if rng.random() < 0.15:
        train = train + 5 * np.exp(-((t - 0.5) ** 2) * 50)
    outcomes = tuple(ENDS[i] for i in rng.integers(0, len(ENDS), seeds)) if with_failures and rng.random() < 0.3 else ()
    made = candidate(train, val, np.arange(points) + (points == 1), capacity=float(rng.integers(4)))
    if not outcomes:
        return made
    lost = np.array([outcome is not Outcome.COMPLETED for outcome in outcomes])
    train, val = (np.where(lost[:, None], np.nan, losses) for losses in (made.train, made.val))
    return replace(made, train=train, val=val, outcomes=outcomes)


def plain(decision: Decision, places: list[int] | None = None) -> tuple:
    """What a decision says, with places renamed."""
    named = [p if p is None or places is None else places[p] for p in (decision.reference, decision.rival)]
    return (decision.label, decision.leaning, decision.because, decision.deciding, decision.seeds_needed, *named)


def assert_same_reasons(one: Decision, other: Decision, factor: float = 1.0) -> None:
    assert one.reasons.keys() == other.reasons.keys()
    for name, interval in one.reasons.items():
        for part in ("estimate", "low", "high"):
            assert getattr(other.reasons[name], part) == pytest.approx(
                factor * getattr(interval, part), rel=1e-6, abs=1e-9 * factor, nan_ok=True
            )


@given(sweeps(), st.randoms(use_true_random=False))
def test_the_order_of_configs_does_not_matter(sweep: Candidates, random: object) -> None:
    order = list(range(len(sweep.configs)))
    random.shuffle(order)
    moved = decide(replace(sweep, configs=tuple(sweep.configs[c] for c in order)), RULE)
    before = decide(sweep, RULE)
    for c, decision in zip(order, moved, strict=True):
        assert plain(decision, order) == plain(before[c])
        assert_same_reasons(before[c], decision)


@given(sweeps(), st.randoms(use_true_random=False))
def test_the_order_of_seeds_does_not_matter(sweep: Candidates, random: object) -> None:
    order = list(range(len(sweep.null_val)))
    random.shuffle(order)
    moved = Candidates(
        tuple(
            replace(c, train=c.train[order], val=c.val[order], outcomes=tuple(c.outcomes[s] for s in order))
            for c in sweep.configs
        ),
        sweep.null_train[order],
        sweep.null_val[order],
        sweep.kind,
    )
    for one, other in zip(decide(sweep, RULE), decide(moved, RULE), strict=True):
        assert plain(one) == plain(other)
        assert_same_reasons(one, other)


@given(sweeps(), st.integers(2, 1000))
def test_the_unit_of_epochs_does_not_matter(sweep: Candidates, batches: int) -> None:
    steps = replace(sweep, configs=tuple(replace(c, epoch=c.epoch * batches) for c in sweep.configs))
    for one, other in zip(decide(sweep, RULE), decide(steps, RULE), strict=True):
        if "pruned" not in one.because:  # that names the epoch
            assert plain(one) == plain(other)
        assert_same_reasons(one, other)


@given(sweeps(), st.floats(1e-6, 1e6))
def test_the_scale_of_losses_does_not_matter(sweep: Candidates, factor: float) -> None:
    scaled = Candidates(
        tuple(replace(c, train=factor * c.train, val=factor * c.val) for c in sweep.configs),
        factor * sweep.null_train,
        factor * sweep.null_val,
        sweep.kind,
    )
    for one, other in zip(decide(sweep, RULE), decide(scaled, RULE), strict=True):
        assert plain(one) == plain(other)
        assert_same_reasons(one, other, factor)


@given(sweeps())
def test_capacity_counts_by_its_order_alone(sweep: Candidates) -> None:
    bent = replace(sweep, configs=tuple(replace(c, capacity=np.exp(c.capacity) - 9) for c in sweep.configs))
    assert decide(bent, RULE) == decide(sweep, RULE) or _nan(sweep)


def _nan(sweep: Candidates) -> bool:
    """NaN bounds, as under one seed, are not equal to themselves."""
    return len(sweep.null_val) == 1


@given(sweeps(), st.floats(50, 1e6))
def test_a_far_worse_config_changes_nothing_but_the_moderated_variance(sweep: Candidates, worse: float) -> None:
    rule = replace(RULE, prior_df=0.0)
    before = decide(sweep, rule)
    if sum(bool(decision.reasons) for decision in before) > 1:  # one alone is judged by another rule
        bad = candidate(sweep.null_train + worse, sweep.null_val + worse)
        after = decide(replace(sweep, configs=(*sweep.configs, bad)), rule)
        for one, other in zip(before, after[:-1], strict=True):
            assert plain(one) == plain(other)
            assert_same_reasons(one, other)
        assert after[-1].label not in {Label.GOOD, Label.BENIGN}


@given(sweeps(with_failures=False))
def test_a_config_and_its_double_get_the_same(sweep: Candidates) -> None:
    doubled = decide(replace(sweep, configs=(*sweep.configs, sweep.configs[0])), RULE)
    assert plain(doubled[0])[:5] == plain(doubled[-1])[:5]
    assert_same_reasons(doubled[0], doubled[-1])


@given(sweeps())
def test_what_every_decision_says(sweep: Candidates) -> None:
    for config, decision in zip(sweep.configs, decide(sweep, RULE), strict=True):
        assert decision.because
        assert (decision.leaning is not None) == (decision.label is Label.INCONCLUSIVE)
        assert decision.leaning not in {Label.INCONCLUSIVE, Label.NOT_ASSESSED, Label.DIVERGED, Label.BENIGN}
        assert decision.seeds_needed is None or decision.seeds_needed > decision.n
        assert decision.seeds_needed is None or decision.label is Label.INCONCLUSIVE
        if decision.label not in {Label.DIVERGED, Label.UNSTABLE, Label.NOT_ASSESSED}:
            assert config.completed
            assert {"val", "train", "excess", "distance", "gap", "beyond"} <= decision.reasons.keys()
        for interval in decision.reasons.values():
            assert not interval.low > interval.estimate
            assert not interval.estimate > interval.high


@given(sweeps(with_failures=False), st.lists(st.sampled_from([np.nan, np.inf, -np.inf, 1e300, 0.0]), max_size=9))
def test_what_is_not_finite_is_a_divergence_at_the_end_and_nothing_raises(sweep: Candidates, odd: list[float]) -> None:
    rng = np.random.default_rng(len(odd))
    for value in odd:
        losses = rng.choice(["train", "val"]), int(rng.integers(len(sweep.configs)))
        table = getattr(sweep.configs[losses[1]], losses[0])
        table[rng.integers(table.shape[0]), rng.integers(table.shape[1])] = value
    examine(sweep, RULE)
    for config, decision in zip(sweep.configs, decide(sweep, RULE), strict=True):
        ends = np.isfinite(config.train[:, -1]) & np.isfinite(config.val[:, -1])
        if not ends.all():
            most = 2 * (~ends).sum() > len(ends)
            assert decision.label in ({Label.DIVERGED} if most else {Label.DIVERGED, Label.UNSTABLE})


@given(sweeps())
def test_confident_labels_are_what_their_intervals_say(sweep: Candidates) -> None:
    margin = sweep.margin(RULE)
    for decision in decide(sweep, RULE):
        reasons = decision.reasons
        match decision.label:
            case Label.GOOD | Label.BENIGN:
                assert reasons["rival"].high < margin
            case Label.OVERFIT | Label.UNDERFIT | Label.NOT_CONVERGED if "rival" in reasons:
                lone = "gain" in reasons and reasons["excess"].estimate < margin  # itself is what it is compared with
                assert reasons["gain" if lone else "excess"].low > margin
                assert lone or reasons["rival"].high >= margin
            case Label.OVERFIT if decision.deciding == "regret":
                assert reasons["regret"].low > 0
                assert reasons["train_regret"].estimate < 0
