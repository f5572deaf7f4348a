"""How much memory a Fit costs: `python benchmarks/memory.py [--json PATH] [--configs N] [--method tpe] [--publish]`.

Runs a sweep of wide networks on digits, and prints by how much resident memory grew from one Fit to the next after
the first fifth of them, and what it takes to train, replay, load, read and publish them all.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fitlab.runner.execute import execute
from fitlab.runner.fits import Progress
from fitlab.runner.plan import plan
from fitlab.runner.processors import default_jobs
from fitlab.runner.publishing import publish
from fitlab.runner.workers import workers_for
from fitlab.spec import read_spec
from fitlab.store import Store
from fitlab.sweep import Sweep

KB = 1000
PAGE = os.sysconf("SC_PAGE_SIZE")


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--json", type=Path, help="write the numbers here")
    arguments.add_argument("--configs", type=int, default=200)
    arguments.add_argument("--seeds", type=int, default=5)
    arguments.add_argument("--epochs", type=int, default=3)
    arguments.add_argument("--hidden", type=int, default=256)
    arguments.add_argument("--method", choices=("grid", "tpe"), default="grid")
    arguments.add_argument("--publish", action="store_true", help="log to MLflow, too")
    arguments.add_argument("--jobs", type=int, default=default_jobs())
    chosen = arguments.parse_args()
    with tempfile.TemporaryDirectory(prefix="fitlab-memory-") as folder:
        measured = measure(Store.at(folder, create=True), chosen)
    if chosen.json:
        chosen.json.write_text(json.dumps(measured, indent=1) + "\n")


def measure(store: Store, chosen: argparse.Namespace) -> dict[str, Any]:
    """Train, replay, load and read a sweep, each time saying what memory it took."""
    made = plan(read_spec(spec(chosen)))
    workers = workers_for(chosen.jobs, None, made.without_lock)
    fits, seen = chosen.configs * chosen.seeds, {}

    def note(progress: Progress) -> None:
        seen[progress.done] = resident()

    begun = resident()
    sweep = said("train", lambda: execute(made, store, workers, note).sweep, fits, begun)
    early = min(seen, key=lambda done: abs(done - fits // 5))
    growth = (resident() - seen[early]) / (len(sweep.fits) - early)
    held = sum(array.nbytes for array in sweep.fits[0].weights.values())
    print(f"{len(sweep.fits)} Fits with weights of {held / KB:.0f} kB: {growth / KB:.1f} kB a Fit after {early} Fits")
    said("replay", lambda: execute(made, store, workers).sweep, fits, begun)
    said("load", lambda: store.load("memory"), fits, begun)
    said("read all weights", lambda: weigh(sweep), fits, begun)
    if chosen.publish:
        said("publish", lambda: publish(sweep, store), fits, begun)
        said("publish again", lambda: publish(sweep, store), fits, begun)
    print(f"before the first Fit there were {begun / KB**2:.0f} MB")
    return {"fits": len(sweep.fits), "kb_a_fit": growth / KB, "peak_mb": peak() / KB**2, "begun_mb": begun / KB**2}


def spec(chosen: argparse.Namespace) -> dict[str, Any]:
    """Return the sweep: wide networks, short training."""
    alpha = {"low": 1e-6, "high": 1.0, "log": True}
    swept = {"training.alpha": {**alpha, "points": chosen.configs} if chosen.method == "grid" else alpha}
    pruned = {"trials": chosen.configs, "early_terminate": {"type": "median", "min_epochs": 1}}
    return {
        "name": "memory",
        "data": {"kind": "digits", "validation": 360, "test": 90},
        "model": {"kind": "mlp", "hidden_layer_sizes": [chosen.hidden]},
        "training": {"batch_size": 200, "epochs": chosen.epochs},
        "seeds": chosen.seeds,
        "sweep": {"method": chosen.method, "parameters": swept, **(pruned if chosen.method == "tpe" else {})},
    }


def weigh(sweep: Sweep) -> int:
    """Read the weights of every Fit, one after the other."""
    return sum(array.nbytes for fit in sweep.fits for array in fit.weights.values())


def said(what: str, work: Callable[[], Any], fits: int, begun: int) -> Any:
    """Return what ``work`` returns; print how long it took and how much more memory there is than at the beginning."""
    clock = time.perf_counter()
    found = work()
    seconds = time.perf_counter() - clock
    more = (resident() - begun) / KB**2
    a_fit = f"{1000 * seconds / fits:.2f} ms a Fit"
    print(f"{what:<17}{seconds:>7.1f} s{a_fit:>18}   {more:+.0f} MB, peak {peak() / KB**2:.0f} MB", flush=True)
    return found


def peak() -> int:
    """Return the highest resident memory of this process so far in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def resident() -> int:
    """Return the resident memory of this process in bytes."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE


if __name__ == "__main__":
    main()
