"""How much faster the mlp trainer is than scikit-learn: `python benchmarks/kernel.py [--json PATH] [--rounds N]`.

Both train the same networks on digits (1,347 rows for training) and measure train and validation after every epoch:
scikit-learn by partial_fit and one predict_proba for each part. One thread, CPU time, taken in turns.
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
from pathlib import Path
from statistics import median
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
    print("hidden      batch   fitlab ms/epoch   scikit-learn ms/epoch   ratio (rounds: least, most)")
    rows = [compared(hidden, batch, chosen.rounds) for hidden, batch in SHAPES]
    if chosen.json:
        libraries = ("fitlab", "numba", "numpy", "scipy", "scikit-learn")
        about = {"platform": platform.platform(), "versions": {name: version(name) for name in libraries}}
        chosen.json.write_text(json.dumps({**about, "first_network_s": cold, "shapes": rows}, indent=1) + "\n")


def compared(hidden: tuple[int, ...], batch: int, rounds: int) -> dict[str, Any]:
    """Time both in turns; print and return one row."""
    state, split = prepared(hidden, batch)
    theirs = MLPClassifier(hidden, batch_size=batch, shuffle=False, random_state=0)
    by_hand(theirs, split, 1)
    pairs = []
    for _ in range(rounds):
        ours = seconds(lambda: trainers.advance(state, split, OURS, lambda: False)) / OURS
        pairs.append((ours, seconds(lambda: by_hand(theirs, split, THEIRS)) / THEIRS))
    ratios = [other / ours for ours, other in pairs]
    ours, other = (1000 * median(column) for column in zip(*pairs, strict=True))
    shown = f"{hidden!s:<12}{batch:>5}{ours:>18.2f}{other:>24.2f}{median(ratios):>8.1f}"
    print(f"{shown}   ({min(ratios):.1f}, {max(ratios):.1f})", flush=True)
    return {"hidden": hidden, "batch": batch, "ours_ms": ours, "theirs_ms": other, "ratios": ratios}


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
