"""Large sweeps: memory is bounded by what comes in, and all ways of comparing give the same."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from conftest import PROVE
from truths import candidate, constant

from fitlab.diagnosis import Candidates, Rule, decide
from fitlab.diagnosis import noninferiority as module
from fitlab.diagnosis.intervals import ONE
from fitlab.diagnosis.noninferiority import hardest
from fitlab.stats import moderated_half_widths, prior_variance

RULE = Rule()
CONFIGS = 10_000 if PROVE else 1_000


def alike(configs: int, seeds: int = 5, epochs: int = 200) -> Candidates:
    """Configs so alike that each has to be compared with each."""
    rng = np.random.default_rng(0)
    t = np.linspace(0, 1, epochs)
    made = []
    for worse in rng.uniform(0, 0.02, configs):
        train = 1 - 0.8 * t**0.3 + worse + 0.01 * rng.standard_normal((seeds, epochs))
        made.append(candidate(train, train + 0.1 * t))
    return constant(made, 1 + 0.01 * rng.standard_normal((2, seeds)))


@pytest.mark.slow
def test_memory_grows_with_configs_and_not_with_their_pairs() -> None:
    """C² differences of S seeds would be 4 GB at 10,000 Configs."""
    sweep = alike(CONFIGS)
    tracemalloc.start()
    decisions = decide(sweep, RULE)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(decisions) == CONFIGS
    assert peak < 20_000 * CONFIGS + 20e6  # bytes: 0.22 GB at 10,000; the losses themselves are 16,000 bytes a Config


def test_pieces_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    sweep = alike(20, epochs=3)
    whole = decide(sweep, RULE)
    monkeypatch.setattr(module, "CHUNK", 1)
    assert decide(sweep, RULE) == whole


@pytest.mark.parametrize("seeds", [2, 3, 8])
def test_the_hardest_comparison_is_that_of_a_plain_loop(seeds: int) -> None:
    rng = np.random.default_rng(seeds)
    val = 0.4 + 0.02 * rng.standard_normal((8, seeds))
    found = hardest(val, 0.05, RULE, 7)
    for c in range(7):
        values = np.arcsinh((val[c] - np.delete(val, c, axis=0)) / 0.05)
        prior = prior_variance(values[:-1])
        upper = values.mean(axis=1) + moderated_half_widths(values, RULE.level, RULE.prior_df, prior)
        if found.rival[c] < 0:  # the best one alone shows that it cannot pass
            assert upper.max() > ONE
            continue
        assert found.mean[c] + found.half[c] == pytest.approx(upper.max())
        assert found.rival[c] == np.flatnonzero(np.arange(8) != c)[upper.argmax()]
