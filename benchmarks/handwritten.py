"""What one would write without fitlab: Optuna, scikit-learn, MLflow and matplotlib, on both cores.

`python benchmarks/handwritten.py TASK FOLDER`. TASK is an npz file that benchmarks/sweep.py writes: the grid, and for
each seed the arrays and the random state. FOLDER gets mlflow.db, artifacts and losses.json.

It is meant to be good: one process a core with BLAS pinned, the training rows permuted once an epoch instead of
indexed in every minibatch, one `log_batch` a run (logging by epoch takes ten times as long), logging while others
train, one figure a sweep. Rows come in the order in which `MLPClassifier.fit` would take them, so that losses can be
compared.
"""

from __future__ import annotations

import os

os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"))

import argparse
import itertools
import json
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.neural_network import MLPClassifier

Curves = dict[str, list[float]]
DATA: dict[str, Any] = {}  # of a worker: the arrays of every seed


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("task", type=Path)
    arguments.add_argument("folder", type=Path)
    arguments.add_argument("--workers", type=int, default=2)
    chosen = arguments.parse_args()
    task = json.loads(str(np.load(chosen.task)["task"]))
    import optuna  # after the workers' imports: they need neither

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    log = Log(chosen.folder, task["name"])
    study = optuna.create_study(direction="minimize")
    grid = [dict(zip(task["grid"], values, strict=True)) for values in itertools.product(*task["grid"].values())]
    for point in grid:
        study.enqueue_trial({key: json.dumps(value) for key, value in point.items()})
    choices = {
        key: optuna.distributions.CategoricalDistribution([json.dumps(value) for value in values])
        for key, values in task["grid"].items()
    }
    with ProcessPoolExecutor(chosen.workers, initializer=load, initargs=(chosen.task,)) as pool:
        waiting = {}
        for _ in grid:
            trial = study.ask(choices)
            point = {key: json.loads(value) for key, value in trial.params.items()}
            for seed in task["seeds"]:
                waiting[pool.submit(train, point, seed, task["epochs"], task["batch_size"])] = (trial, point, seed)
        done: dict[int, dict[str, Curves]] = {}
        for future in as_completed(waiting):
            trial, point, seed = waiting[future]
            curves, weights, begun = future.result()
            log.fit(trial.number, point, seed, curves, weights, begun)
            done.setdefault(trial.number, {})[seed] = curves
            if len(done[trial.number]) == len(task["seeds"]):
                study.tell(trial, log.config(trial.number, point, list(done[trial.number].values())))
    log.figure([(grid[number], list(found.values())) for number, found in sorted(done.items())])
    losses = {f"{json.dumps(grid[number])} {seed}": {name: curve[-1] for name, curve in curves.items()}
              for number, found in done.items() for seed, curves in found.items()}  # fmt: skip
    (chosen.folder / "losses.json").write_text(json.dumps(losses))


# ── in a worker ─────────────────────────────────────────────────────────────────────────────────────────────


def load(path: Path) -> None:
    """Read the arrays once for every worker."""
    DATA.update(np.load(path))


def train(
    point: dict[str, Any], seed: str, epochs: int, batch_size: int
) -> tuple[Curves, dict[str, np.ndarray], float]:
    """Train one network, and measure it on train and validation after every epoch."""
    begun = time.time()
    X, y, X_val, y_val = (DATA[f"{seed}/{name}"] for name in ("X_train", "y_train", "X_val", "y_val"))
    classes = np.unique(y)
    state = int(DATA[f"{seed}/random_state"])
    model = MLPClassifier(batch_size=batch_size, shuffle=False, random_state=state, **point)
    orders = np.random.RandomState(state)
    for fan_in, fan_out in itertools.pairwise((X.shape[1], *point["hidden_layer_sizes"], len(classes))):
        orders.uniform(size=fan_in * fan_out + fan_out)  # what initialising takes before `fit` draws its first order
    order = np.arange(len(y))
    curves: Curves = {name: [] for name in ("loss/train", "accuracy/train", "loss/val", "accuracy/val")}
    for _ in range(epochs):
        order = order[orders.permutation(len(y))]
        model.partial_fit(X[order], y[order], classes=classes)
        for part, inputs, labels in (("train", X, y), ("val", X_val, y_val)):
            probable = model.predict_proba(inputs)
            eps = np.finfo(float).eps
            chances = np.clip(probable[np.arange(len(labels)), labels], eps, 1 - eps)
            curves[f"loss/{part}"].append(float(-np.log(chances).mean()))
            curves[f"accuracy/{part}"].append(float((probable.argmax(axis=1) == labels).mean()))
    weights = {f"weight_{i}": array for i, array in enumerate(model.coefs_)}
    return curves, {**weights, **{f"bias_{i}": array for i, array in enumerate(model.intercepts_)}}, begun


# ── MLflow and the figure ───────────────────────────────────────────────────────────────────────────────────


class Log:
    """A run per Config, below it a run per seed with curves and weights, and the figure."""

    def __init__(self, folder: Path, name: str) -> None:
        from mlflow.entities import Metric, Param
        from mlflow.tracking import MlflowClient

        self.Metric, self.Param = Metric, Param
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.client = MlflowClient(f"sqlite:///{folder.absolute() / 'mlflow.db'}")
        self.experiment = self.client.create_experiment(name, (folder.absolute() / "artifacts").as_uri())
        self.parents: dict[int, str] = {}

    def parent(self, number: int) -> str:
        if number not in self.parents:
            run = self.client.create_run(self.experiment, run_name=f"config {number}")
            self.parents[number] = run.info.run_id
        return self.parents[number]

    def fit(
        self, number: int, point: dict[str, Any], seed: str, curves: Curves, weights: dict[str, Any], begun: float
    ) -> None:
        tags = {"mlflow.parentRunId": self.parent(number)}
        run = self.client.create_run(self.experiment, round(1000 * begun), tags, f"seed {seed}").info.run_id
        self.batch(run, {**point, "seed": seed}, curves)
        path = self.folder / "weights.npz"
        np.savez(path, **weights)
        self.client.log_artifact(run, str(path))
        self.client.set_terminated(run)

    def config(self, number: int, point: dict[str, Any], found: list[Curves]) -> float:
        """Log the means over seeds; return the objective."""
        means = {name: np.mean([curves[name] for curves in found], axis=0).tolist() for name in found[0]}
        self.batch(self.parent(number), point, means)
        self.client.set_terminated(self.parent(number))
        return float(means["loss/val"][-1])

    def batch(self, run: str, params: dict[str, Any], curves: Curves) -> None:
        now = round(1000 * time.time())
        metrics = [self.Metric(k, v, now, step) for k, curve in curves.items() for step, v in enumerate(curve, 1)]
        self.client.log_batch(run, metrics, [self.Param(key, str(value)) for key, value in params.items()])

    def figure(self, rows: list[tuple[dict[str, Any], list[Curves]]]) -> None:
        """Draw mean train and validation loss of every Config, a panel for each width."""
        import matplotlib

        matplotlib.use("agg")
        import matplotlib.pyplot as plt

        widths = sorted({tuple(point["hidden_layer_sizes"]) for point, _ in rows})
        figure, axes = plt.subplots(1, len(widths), figsize=(4 * len(widths), 3), sharey=True, squeeze=False)
        for point, found in rows:
            ax = axes[0, widths.index(tuple(point["hidden_layer_sizes"]))]
            for name, style in (("loss/train", "--"), ("loss/val", "-")):
                ax.semilogy(np.mean([curves[name] for curves in found], axis=0), style, linewidth=0.8)
        for ax, width in zip(axes[0], widths, strict=True):
            ax.set(title=f"{width}", xlabel="epoch", ylabel="loss")
        figure.tight_layout()
        figure.savefig(self.folder / "curves.png", dpi=150)
        run = self.client.create_run(self.experiment, run_name="summary").info.run_id
        self.client.log_artifact(run, str(self.folder / "curves.png"))
        self.client.set_terminated(run)


if __name__ == "__main__":
    main()
