"""A whole sweep against the script one would write by hand, and what fitlab costs around training.

`python benchmarks/sweep.py [--json PATH] [--scale S] [--only cores,sweep,…]`. Runs `fitlab` and
benchmarks/handwritten.py as commands, in turns where a ratio is shown; BLAS has one thread. CPU time and memory are
with all children. --scale 0.05 tries everything in about two minutes, and then nothing it says is worth reporting.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

import fitlab
from fitlab import data, space, trainers
from fitlab.records import Job
from fitlab.spec import read_spec
from fitlab.store import Store

HERE = Path(__file__).resolve().parent
PINNED = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
GRIDS = {"up to 64": [[16], [32], [64]], "16/64/256": [[16], [64], [256]]}
ALPHAS, RATES = [1e-5, 1e-4, 1e-3, 1e-2, 1e-1], [3e-4, 1e-3, 3e-3, 1e-2]
POLL = 0.1  # seconds between looks at memory


@dataclass(frozen=True)
class Cost:
    """Of one command with its children: wall and CPU seconds, peak of memory in MB, and what it printed."""

    wall: float
    cpu: float
    mb: float
    out: str


class Bench:
    """Where the commands run and how much they are given."""

    def __init__(self, folder: Path, scale: float, rounds: int) -> None:
        self.folder, self.scale, self.rounds = folder, scale, rounds

    def few(self, count: int, least: int) -> int:
        """Return a count at this scale."""
        return max(least, round(count * self.scale))

    def fresh(self, name: str) -> Path:
        """Return the path of a folder that is not there."""
        shutil.rmtree(self.folder / name, ignore_errors=True)
        return self.folder / name

    def spec(self, name: str, document: dict[str, Any]) -> Path:
        """Write a spec; JSON is YAML."""
        path = self.folder / f"{name}.yaml"
        path.write_text(json.dumps({"name": name, **document}))
        return path

    def grid(self, name: str, widths: list[list[int]]) -> Path:
        """Write the spec of a grid on 1,347 rows of digits: 60 Configs, five seeds, 100 epochs at full scale."""
        values = {
            "model.hidden_layer_sizes": widths,
            "training.alpha": ALPHAS[: self.few(5, 1)],
            "training.learning_rate_init": RATES[: self.few(4, 1)],
        }
        return self.spec(
            name,
            {
                "data": {"kind": "digits", "validation": 449, "test": 1},
                "model": {"kind": "mlp"},
                "training": {"batch_size": 32, "epochs": self.few(100, 3)},
                "seeds": self.few(5, 2),
                "sweep": {"parameters": {key: {"values": found} for key, found in values.items()}},
            },
        )


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--json", type=Path, help="write the numbers here")
    arguments.add_argument("--scale", type=float, default=1.0)
    arguments.add_argument("--rounds", type=int, default=3, help="of what takes seconds; whole sweeps run once")
    arguments.add_argument("--only", default=",".join(PARTS), help=f"of {', '.join(PARTS)}")
    chosen = arguments.parse_args()
    libraries = ("fitlab", "numba", "numpy", "scikit-learn", "optuna", "mlflow")
    found: dict[str, Any] = {
        "platform": platform.platform(), "cores": len(os.sched_getaffinity(0)), "scale": chosen.scale,
        "versions": {name: version(name) for name in libraries},
    }  # fmt: skip
    with tempfile.TemporaryDirectory(prefix="fitlab-bench-") as folder:
        bench = Bench(Path(folder), chosen.scale, chosen.rounds)
        run_fitlab("sweep", bench.grid("warm", [[2]]), "--store", bench.fresh("warm"), "-o", "training.epochs=2")
        for name in chosen.only.split(","):
            found[name] = PARTS[name](bench)
    if chosen.json:
        chosen.json.write_text(json.dumps(found, indent=1) + "\n")


# ── the parts ───────────────────────────────────────────────────────────────────────────────────────────────


def cores(bench: Bench) -> dict[str, Any]:
    """Training on one and on two workers: seconds of training, start-up not included."""
    spec = bench.grid("cores", [[16], [64]])
    epochs = f"training.epochs={bench.few(30, 3)}"

    def seconds(jobs: int) -> float:
        cost = run_fitlab("sweep", spec, "-o", epochs, "--jobs", jobs, "--store", bench.fresh("cores"),
                          "--no-publish", "--json")  # fmt: skip
        return float(json.loads(cost.out)["seconds"])

    rows = [{"one": seconds(1), "two": seconds(2)} for _ in range(bench.rounds)]
    ratios = [row["one"] / row["two"] for row in rows]
    print(f"\ntwo workers against one: {spread(ratios)} times as fast")
    return {"rounds": rows, "ratio": median(ratios)}


def sweep(bench: Bench) -> dict[str, Any]:
    """The whole thing, once per grid: from the spec to what MLflow shows."""
    print("\nwhole sweep          fitlab wall, CPU s, MB     by hand wall, CPU s, MB     ratio of wall, CPU   losses")
    return {title: whole(bench, f"grid-{i}", title, widths) for i, (title, widths) in enumerate(GRIDS.items())}


def whole(bench: Bench, name: str, title: str, widths: list[list[int]]) -> dict[str, Any]:
    """Run a grid both ways, and compare what the networks came to."""
    spec, store, folder = bench.grid(name, widths), bench.fresh("ours"), bench.fresh("theirs")
    task = bench.folder / "task.npz"
    write_task(spec, task)
    ours = run_fitlab("sweep", spec, "--store", store)
    theirs = run([sys.executable, str(HERE / "handwritten.py"), str(task), str(folder)])
    found = fitlab.load(name, store)
    apart = differences(found, json.loads((folder / "losses.json").read_text()))
    equal = float(np.mean(np.array(apart) < 1e-6))  # long training with large steps amplifies rounding
    ratio = {"wall": theirs.wall / ours.wall, "cpu": theirs.cpu / ours.cpu}
    same = f"{equal:.0%} equal to 1e-6, {apart[-1]:.1g} at most"
    ratios = f"{ratio['wall']:>13.1f}{ratio['cpu']:>7.1f}"
    print(f"{title:<12}{len(found.fits):>5} Fits{shown(ours):>26}{shown(theirs):>28}{ratios}   {same}", flush=True)
    costs = {"ours": vars(ours) | {"out": None}, "theirs": vars(theirs) | {"out": None}}
    return {
        "fits": len(found.fits),
        **costs,
        "ratio": ratio,
        "final_losses": {"equal": equal, "median_apart": median(apart), "most_apart": apart[-1]},
    }


def tracking(bench: Bench) -> dict[str, Any]:
    """What MLflow and the store add to a sweep."""
    spec = bench.grid("tracking", GRIDS["up to 64"])
    rows = []
    for _ in range(bench.rounds):
        publishes = run_fitlab("sweep", spec, "--store", bench.fresh("with"))
        without = run_fitlab("sweep", spec, "--store", bench.fresh("without"), "--no-publish")
        rows.append((publishes, without))
    fits = fitlab.load("tracking", bench.folder / "with").fits
    place = Store.at(bench.fresh("again"), create=True)
    storing = median(cpu(lambda fit=fit: place.write(fit)) for fit in fits)
    per_fit = [1000 * ((ours.cpu - bare.cpu) / len(fits) + storing) for ours, bare in rows]
    share = [(ours.wall - bare.wall) / ours.wall for ours, bare in rows]
    print(f"\ntracking and storing: {spread(per_fit)} ms of CPU a Fit (storing {1000 * storing:.1f}), "
          f"of {len(fits)} Fits; publishing adds {spread([100 * one for one in share])} % of wall time")  # fmt: skip
    return {"fits": len(fits), "cpu_ms_per_fit": per_fit, "storing_cpu_ms": 1000 * storing, "share_of_wall": share}


def startup(bench: Bench) -> dict[str, Any]:
    """Commands that train nothing."""
    shipped = HERE.parent / "experiments" / "digits_width.yaml"
    commands = {
        "fitlab --help": ["--help"],
        "fitlab check --no-data": ["check", "--no-data", shipped],
        "fitlab check": ["check", shipped],
        "fitlab plan": ["plan", shipped, "--store", bench.folder / "none"],
    }
    print("\nstart-up                    wall s (least, most)     CPU s (least, most)")
    found = {}
    for name, words in commands.items():
        costs = [run_fitlab(*words) for _ in range(max(3, bench.rounds))]
        found[name] = {"wall": [c.wall for c in costs], "cpu": [c.cpu for c in costs]}
        print(f"{name:<28}{spread(found[name]['wall']):<25}{spread(found[name]['cpu'])}", flush=True)
    return found


def replay(bench: Bench) -> dict[str, Any]:
    """A finished sweep, run again: it reads what is there, and finds it in MLflow."""
    count = bench.few(200, 4)
    spec = bench.spec(
        "replayed",
        {
            "data": {"kind": "iris"},
            "model": {"kind": "mlp", "hidden_layer_sizes": [4]},
            "training": {"epochs": 2, "batch_size": 32},
            "sweep": {
                "method": "random",
                "trials": count,
                "parameters": {"training.alpha": {"low": 1e-6, "high": 1, "log": True}},
            },
        },
    )
    store = bench.fresh("replayed")
    run_fitlab("sweep", spec, "--store", store)
    bare = [run_fitlab("sweep", spec, "--store", store, "--no-publish") for _ in range(bench.rounds)]
    whole = [run_fitlab("sweep", spec, "--store", store) for _ in range(bench.rounds)]
    for what, costs in (("without MLflow", bare), ("with MLflow", whole)):
        print(f"\n{5 * count} finished Fits, run again {what}: wall {spread([c.wall for c in costs])} s, "
              f"CPU {spread([c.cpu for c in costs])} s, {max(c.mb for c in costs):.0f} MB")  # fmt: skip
    return {"fits": 5 * count, "without_mlflow": [vars(c) | {"out": None} for c in bare],
            "with_mlflow": [vars(c) | {"out": None} for c in whole]}  # fmt: skip


PARTS: dict[str, Callable[[Bench], dict[str, Any]]] = {
    "startup": startup, "cores": cores, "tracking": tracking, "replay": replay, "sweep": sweep,
}  # fmt: skip


# ── the same networks by hand ───────────────────────────────────────────────────────────────────────────────


def write_task(spec: Path, path: Path) -> None:
    """Write what benchmarks/handwritten.py needs: the grid, and each seed's arrays and random state."""
    document = read_spec(spec)
    config = space.configs(document)[0]
    section, vary = config.sections.data, document.spec.seeds.vary
    dataset = data.load(section)
    arrays: dict[str, Any] = {}
    for seed in document.spec.seeds.values:
        job = Job(config, seed, vary, dataset.fingerprint, trainers.version(config.sections))
        split = fitlab.split(job)
        arrays |= {f"{seed}/{name}": getattr(split, name) for name in ("X_train", "y_train", "X_val", "y_val")}
        arrays[f"{seed}/random_state"] = job.random_state
    training = config.plain["training"]
    parameters = json.loads(spec.read_text())["sweep"]["parameters"]
    task = {
        "name": document.spec.name,
        "grid": {key.partition(".")[2]: domain["values"] for key, domain in parameters.items()},
        "seeds": [str(seed) for seed in document.spec.seeds.values],
        "epochs": training["epochs"],
        "batch_size": training["batch_size"],
    }
    np.savez(path, task=json.dumps(task), **arrays)


def differences(ours: fitlab.Sweep, theirs: dict[str, dict[str, float]]) -> list[float]:
    """Return by how much each final train and validation loss differs, least first. Every Fit has its counterpart."""
    apart = []
    for fit in ours.fits:
        point = {key.partition(".")[2]: value for key, value in fit.job.config.swept.items()}
        other = theirs[f"{json.dumps(point)} {fit.job.seed}"]
        apart += [abs(fit.final[name] - other[name]) for name in ("loss/train", "loss/val")]
    return sorted(apart)


# ── measuring ───────────────────────────────────────────────────────────────────────────────────────────────


def run_fitlab(*words: object) -> Cost:
    """Run a command of fitlab."""
    return run([sys.executable, "-m", "fitlab", *map(str, words)])


def run(command: list[str]) -> Cost:
    """Run a command, and say what it cost with all its children. Raises CalledProcessError where it fails."""
    before, clock = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        process = subprocess.Popen(command, stdout=out, stderr=err, env={**os.environ, **PINNED})
        peak: list[float] = [0.0]
        watch = threading.Thread(target=watch_memory, args=(process, peak))
        watch.start()
        code = process.wait()
        wall = time.perf_counter() - clock
        watch.join()
        out.seek(0), err.seek(0)
        if code:
            raise subprocess.CalledProcessError(code, command, out.read(), err.read())
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        return Cost(wall, used, peak[0], out.read())


def watch_memory(process: subprocess.Popen[bytes], peak: list[float]) -> None:
    """Keep the largest sum of the memory of a process and its descendants, shared pages counted once (PSS), in MB."""
    while process.poll() is None:
        peak[0] = max(peak[0], sum(map(proportional, family(process.pid))))
        time.sleep(POLL)


def family(pid: int) -> list[int]:
    """Return a process and its descendants."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:  # it has ended
        return []
    return [pid, *(one for child in children for one in family(int(child)))]


def proportional(pid: int) -> float:
    """Return the PSS of a process in MB; 0 where it has ended."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


def cpu(work: Callable[[], object]) -> float:
    """Return the CPU seconds of this thread."""
    begun = time.thread_time()
    work()
    return time.thread_time() - begun


def spread(values: list[float]) -> str:
    """Write a median with the least and the most."""
    return f"{median(values):.2f} ({min(values):.2f}, {max(values):.2f})"


def shown(cost: Cost) -> str:
    return f"{cost.wall:.1f} {cost.cpu:>7.1f} {cost.mb:>6.0f}"


if __name__ == "__main__":
    main()
