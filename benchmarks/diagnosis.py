"""How long a diagnosis of a large sweep takes, and how much memory: ``python benchmarks/diagnosis.py [CONFIGS]``.

Two sweeps of 5 seeds and 200 epochs: Configs of every kind, and Configs so alike that each is compared with each. All
that ``diagnose`` does is counted: decisions, checks of Configs and of the sweep, the choice, a note for each Config.
"""

from __future__ import annotations

import resource
import sys
import time

import numpy as np

from fitlab.diagnosis import diagnose
from fitlab.records import Config, Curves, Fit, Job, Outcome
from fitlab.spec.recorded import NAME, recorded_sections, recorded_spec
from fitlab.spec.sweeps import VARY
from fitlab.sweep import Sweep

SEEDS, EPOCHS = 5, 200


def sweep(configs: int, apart: float) -> Sweep:
    """Falling curves that differ by up to ``apart``, the constant predictor at 1."""
    rng = np.random.default_rng(0)
    t = np.linspace(0, 1, EPOCHS)
    null = 1 + 0.01 * rng.standard_normal((SEEDS, 2))
    names = [f"c{i}" for i in range(configs)]
    made = [Config(recorded_sections(name, None), {NAME: name}) for name in names]
    fits = []
    for config, worse in zip(made, rng.uniform(0, apart, configs), strict=True):
        train = 1 - 0.8 * t**0.3 + worse + 0.01 * rng.standard_normal((SEEDS, EPOCHS))
        val = train + 0.1 * t + 0.01 * rng.standard_normal((SEEDS, EPOCHS))
        for seed in range(SEEDS):
            curves = Curves(np.arange(EPOCHS), {"loss/train": train[seed], "loss/val": val[seed]})
            constant = dict(zip(("loss/train", "loss/val"), null[seed].tolist(), strict=True))
            job = Job(config, seed, VARY, "", "benchmark/1")
            fits.append(Fit(job, Outcome.COMPLETED, EPOCHS - 1, curves, loss="log_loss", null=constant))
    spec = recorded_spec("benchmark", range(SEEDS), {}, names, ordered=False)
    return Sweep(spec, tuple(made), tuple(fits))


def main(configs: int) -> None:
    """Print wall and CPU seconds of a whole diagnosis, and the peak of memory so far."""
    for name, apart in (("of every kind", 1.0), ("all alike", 0.02)):
        made = sweep(configs, apart)
        wall, cpu = time.perf_counter(), time.process_time()
        found = diagnose(made)
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
        labels = {str(verdict.label) for verdict in found.by_config.values()}
        print(
            f"{configs:,} Configs {name} ({', '.join(sorted(labels))}): diagnose {wall:.1f} s, CPU {cpu:.1f} s, "
            f"peak {peak:.2f} GB"
        )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)
