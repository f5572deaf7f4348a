"""How much faster the mlp trainer is than scikit-learn: `python benchmarks/kernel.py [--json PATH] [--rounds N]`.

Both train the same networks on digits (1,347 rows for training) and measure train and validation after every epoch:
scikit-learn by partial_fit and one predict_proba for each part. One thread, CPU time, taken in turns.
The last column is the share of the machine's peak: the products of matrices alone, over the time of everything,
relative to the best large product of float64 matrices in the same rounds.
"""

from __future__ import annotations

import os

os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"))

import argparse
import json
import platform
import time
from collections.abc import Callable
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path
from statistics import geometric_mean, median
from typing import Any

import numpy as np
from sklearn.neural_network import MLPClassifier

from fitlab import data, space, trainers
from fitlab.records import Job, Split
from fitlab.spec import read_spec
from fitlab.trainers import measures

SHAPES = [(hidden, batch) for hidden in ((16,), (64,), (256,), (64, 64)) for batch in (32, 200)]
OURS, THEIRS = 40, 8  # epochs that are timed in a round


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--json", type=Path, help="write the numbers here")
    arguments.add_argument("--rounds", type=int, default=7)
    chosen = arguments.parse_args()
    cold = seconds(lambda: prepared((4,), 32))
    print(f"the first network, compiling or loading from the cache: {cold:.1f} s\n")
    print(
        "hidden      batch   fitlab ms/epoch   scikit-learn ms/epoch   ratio (rounds: least, most)   share of the peak"
    )
    rows = [compared(hidden, batch, chosen.rounds) for hidden, batch in SHAPES]
    mean = geometric_mean([median(row["ratios"]) for row in rows])
    print(f"\ngeometric mean of the ratios {mean:.2f}; peak {max(row['peak_gflops'] for row in rows):.1f} GFLOP/s")
    if chosen.json:
        libraries = ("fitlab", "numba", "numpy", "scipy", "scikit-learn")
        about = {"platform": platform.platform(), "versions": {name: version(name) for name in libraries}}
        chosen.json.write_text(
            json.dumps({**about, "first_network_s": cold, "geometric_mean": mean, "shapes": rows}, indent=1) + "\n"
        )


def compared(hidden: tuple[int, ...], batch: int, rounds: int) -> dict[str, Any]:
    """Time both in turns, and the peak; print and return one row."""
    state, split = prepared(hidden, batch)
    theirs = MLPClassifier(hidden, batch_size=batch, shuffle=False, random_state=0)
    by_hand(theirs, split, 1)
    triples = []
    for _ in range(rounds):
        ours = seconds(lambda: trainers.advance(state, split, OURS, lambda: False)) / OURS
        triples.append((ours, seconds(lambda: by_hand(theirs, split, THEIRS)) / THEIRS, peak()))
    ratios = [other / ours for ours, other, _ in triples]
    ours, other = (median(column) for column in list(zip(*triples, strict=True))[:2])
    highest = max(rate for _, _, rate in triples)
    share = flops(hidden, split) / ours / highest
    shown = f"{hidden!s:<12}{batch:>5}{1000 * ours:>18.2f}{1000 * other:>24.2f}{median(ratios):>8.1f}"
    print(f"{shown}   ({min(ratios):.1f}, {max(ratios):.1f}){share:>20.0%}", flush=True)
    return {
        "hidden": hidden,
        "batch": batch,
        "ours_ms": 1000 * ours,
        "theirs_ms": 1000 * other,
        "ratios": ratios,
        "peak_gflops": highest / 1e9,
        "share_of_peak": share,
    }


def flops(hidden: tuple[int, ...], split: Split) -> int:
    """Count what the products of an epoch need: forward, backward, and forward again to measure each part."""
    widths = (split.X_train.shape[1], *hidden, split.n_outputs)
    weights = [below * units for below, units in pairwise(widths)]
    per_row = 2 * sum(weights)
    backward = per_row + 2 * sum(weights[1:])  # of the weights, and of the units below except the features
    return len(split.y_train) * (per_row + backward + per_row) + len(split.y_val) * per_row


def peak() -> float:
    """Return the float64 operations a second of one large product."""
    n = 1024
    matrix, out = np.ones((n, n)), np.empty((n, n))
    np.dot(matrix, matrix, out=out)
    return 2 * n**3 / min(seconds(lambda: np.dot(matrix, matrix, out=out)) for _ in range(3))


def prepared(hidden: tuple[int, ...], batch: int) -> tuple[trainers.State, Split]:
    """Return an untrained network of fitlab and its data."""
    document = read_spec(
        {
            "name": "kernel",
            "data": {"kind": "digits", "validation": 449, "test": 1},
            "model": {"kind": "mlp", "hidden_layer_sizes": list(hidden)},
            "training": {"batch_size": batch, "epochs": OURS},
        }
    )
    (config,) = space.configs(document)
    dataset = data.load(config.sections.data)
    job = Job(config, 0, ("init",), dataset.fingerprint, trainers.version(config.sections))
    split = data.split(dataset, config.sections.data, job.stream("split"))
    state = trainers.start(job, split)
    return state, split


def by_hand(theirs: MLPClassifier, split: Split, epochs: int) -> None:
    """What fitlab does in an epoch, with scikit-learn."""
    classes = np.arange(split.n_outputs)
    rng = np.random.default_rng(0)
    for _ in range(epochs):
        order = rng.permutation(len(split.y_train))
        theirs.partial_fit(split.X_train[order], split.y_train[order], classes=classes)
        for X, y in ((split.X_train, split.y_train), (split.X_val, split.y_val)):
            probable = theirs.predict_proba(X)
            measures.measure(split.task, "", y, probable)


def seconds(work: Callable[[], object]) -> float:
    """Return the CPU seconds of this process."""
    begun = time.process_time()
    work()
    return time.process_time() - begun


if __name__ == "__main__":
    main()
