"""How long a diagnosis of a large sweep takes, and how much memory: ``python benchmarks/diagnosis.py [CONFIGS]``.

Two sweeps of 5 seeds and 200 epochs: Configs of every kind, and Configs so alike that each is compared with each.
"""

from __future__ import annotations

import resource
import sys
import time

import numpy as np

from fitlab.diagnosis import Candidate, Candidates, Rule, decide, examine
from fitlab.records import Outcome

SEEDS, EPOCHS = 5, 200


def sweep(configs: int, apart: float) -> Candidates:
    """Falling curves that differ by up to ``apart``, the constant predictor at 1."""
    rng = np.random.default_rng(0)
    t = np.linspace(0, 1, EPOCHS)
    made = []
    for worse in rng.uniform(0, apart, configs):
        train = 1 - 0.8 * t**0.3 + worse + 0.01 * rng.standard_normal((SEEDS, EPOCHS))
        val = train + 0.1 * t + 0.01 * rng.standard_normal((SEEDS, EPOCHS))
        made.append(Candidate(np.arange(EPOCHS), train, val, (Outcome.COMPLETED,) * SEEDS))
    null = 1 + 0.01 * rng.standard_normal((2, SEEDS))
    return Candidates(tuple(made), null[0], null[1], "log_loss")


def main(configs: int) -> None:
    """Print wall and CPU seconds of decisions and checks, and the peak of memory so far."""
    for name, apart in (("of every kind", 1.0), ("all alike", 0.02)):
        candidates = sweep(configs, apart)
        for what in (decide, examine):
            wall, cpu = time.perf_counter(), time.process_time()
            what(candidates, Rule())
            wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
            print(f"{configs:,} Configs {name}: {what.__name__} {wall:.1f} s, CPU {cpu:.1f} s, peak {peak:.2f} GB")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)
