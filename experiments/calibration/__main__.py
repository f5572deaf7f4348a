"""`python -m experiments.calibration`: how often are verdicts right?

Draws sweeps from families of problems whose truth is known, judges them by fitlab's rule and by those that people use,
and prints the tables. Random seeds below 100 are for development: the rule was made looking at them. Numbers that are
published come from FROZEN, at which nobody had looked when the rule was fixed; any other seed of 100 or more is fresh.
"""

from __future__ import annotations

import os

os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"))

import argparse
import json
import platform
import time
from collections.abc import Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

from experiments.calibration import judge, pictures, report, score
from fitlab.diagnosis import Rule

FROZEN = 2031
LIBRARIES = ("fitlab", "numpy", "scipy", "scikit-learn", "numba")


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--seed", type=int, default=FROZEN, help="of all draws; below 100: development")
    arguments.add_argument("--workers", type=int, default=2, help="processes")
    arguments.add_argument("--out", type=Path, help="a folder for calibration.json and the pictures")
    arguments.add_argument("--docs", type=Path, help="a page whose marked part is replaced by the tables")
    arguments.add_argument("--quick", action="store_true", help="a fifth of the draws")
    chosen = arguments.parse_args()
    begun = time.perf_counter()
    plan = judge.Plan(chosen.seed, **(QUICK if chosen.quick else {}))
    found = calibrated(plan, chosen.workers)
    text = report.markdown(found)
    print(text)
    print(f"\n{time.perf_counter() - begun:.0f} s with {chosen.workers} processes")
    if chosen.out:
        chosen.out.mkdir(parents=True, exist_ok=True)
        (chosen.out / "calibration.json").write_text(json.dumps(found, indent=1) + "\n")
        pictures.draw(found, chosen.out)
    if chosen.docs:
        report.put(chosen.docs, text)


QUICK: dict[str, Any] = {"truth": 60, "seeds": 30, "grid": 30, "pools": 3}


def calibrated(plan: judge.Plan, workers: int, only: Sequence[int] | None = None) -> dict[str, Any]:
    """Run a plan, on some problems alone if so asked, and return everything that came out, with what it came from."""
    rows, intervals = judge.run(plan, workers, only)
    about = {
        "plan": {**asdict(plan), "problems": int(rows.problem.nunique()), "families": int(rows.family.nunique())},
        "rule": asdict(Rule()),
        "versions": {name: version(name) for name in LIBRARIES} | {"python": platform.python_version()},
    }
    return about | score.summary(rows, intervals)


if __name__ == "__main__":
    main()
