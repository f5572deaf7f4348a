"""Sweeps of every kind whose text is tested: small ones that train in a blink, and one that was recorded elsewhere."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from diagnosis.frames import GOOD, NULL, OVERFIT, UNDERFIT, frame

import fitlab
from fitlab.records import Outcome
from fitlab.sweep import Sweep

NASTY = ("lr_1% & $5 #{x}~^\\ µ=3 α≤½ é 中", "[right]", "*large--<>|\"`'")
IRIS = {
    "data": {"kind": "iris", "label_noise": {"rate": 0.1, "parts": ["train"]}},
    "model": {"kind": "mlp", "hidden_layer_sizes": [4]},
    "training": {"epochs": 8, "learning_rate_init": 0.01},
    "seeds": 3,
}
SPECS = {
    "grid": {
        **IRIS,
        "question": "Is 5 % & $3_a enough?",
        "sweep": {
            "parameters": {
                "model.hidden_layer_sizes": {"values": [[2], [3, 2], [16]]},
                "training.alpha": {"values": [1e-4, 1]},
            }
        },
    },
    "search": {
        **IRIS,
        "sweep": {
            "method": "tpe",
            "trials": 9,
            "early_terminate": {"type": "median", "min_epochs": 2, "n_startup_trials": 3},
            "parameters": {"training.learning_rate_init": {"low": 1e-4, "high": 10, "log": True}},
            "constraints": [{"n_parameters": {"max": 1000}}],
        },
    },
    "models": {
        **IRIS,
        "model": [
            {"kind": "mlp"},
            {"kind": "estimator", "estimator": "sklearn.tree.DecisionTreeClassifier"},
            {
                "kind": "estimator",
                "estimator": ["sklearn.preprocessing.PolynomialFeatures", "sklearn.linear_model.LogisticRegression"],
                "parameters": {"logisticregression__max_iter": 500},
            },
        ],
        "sweep": {"parameters": {"training.alpha": {"values": [1e-4, 1], "when": {"model": "mlp"}}}},
    },
    "sizes": {
        "data": {"kind": "linear_teacher"},
        "model": {"kind": "estimator", "estimator": "sklearn.linear_model.Ridge"},
        "seeds": [3, 5, 9],
        "sweep": {
            "parameters": {
                "data.n_samples": {"values": [50, 200]},
                "model.parameters.alpha": {"low": 0.1, "high": 100, "log": True, "points": 2},
            }
        },
    },
    "one": {**IRIS, "seeds": 1},
}


def recorded() -> Sweep:
    """Names with everything that LaTeX takes for itself; one Fit failed, one is missing."""
    rows = frame(dict(zip(NASTY, (UNDERFIT, GOOD, OVERFIT), strict=True)))
    return diagnosed(Sweep.from_frame(rows, constant=NULL, name="recorded"))


def with_losses(sweep: Sweep) -> Sweep:
    """Two Fits of the last Config are gone, one of the first failed."""
    first, *others = sweep.fits
    return diagnosed(replace(sweep, fits=(replace(first, outcome=Outcome.FAILED), *others[:-2])))


def diagnosed(sweep: Sweep) -> Sweep:
    return replace(sweep, verdicts=fitlab.diagnose(sweep))


def all_of_them(store: Path) -> dict[str, Sweep]:
    """Train and return them by name."""
    trained = {
        name: fitlab.run({"name": name, **spec}, store=store, jobs=1, publish=False) for name, spec in SPECS.items()
    }
    joined = fitlab.load(["grid", "models"], store)
    gone = with_losses(trained["grid"])
    undiagnosed = Sweep(gone.spec, gone.configs, gone.fits)
    return {**trained, "joined": joined, "recorded": recorded(), "losses": gone, "undiagnosed": undiagnosed}
