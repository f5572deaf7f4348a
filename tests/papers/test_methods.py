"""The paragraph on methods: its numbers are the sweep's, and what is missing is said."""

from __future__ import annotations

from pathlib import Path

import pytest
from papers.sweeps import SPECS

import fitlab
from fitlab.diagnosis.naming import interval, number
from fitlab.errors import SpecError
from fitlab.escaping import typeset
from fitlab.papers import latex_table, methods_paragraph
from fitlab.sweep import Sweep

NAMES = [*SPECS, "joined", "recorded", "losses", "undiagnosed"]
SAYS = {
    "grid": (
        "the iris data that scikit-learn brings along",
        "A share of 0.1 of the labels of the training part was replaced by uniform draws",
        "n = 74 training, 38 validation and 38 test rows",
        "multi-layer perceptrons, relu units",
        "Networks were trained by adam (learning_rate_init 0.01, batch_size 32, epochs 8;",
        "6 configurations were tried, every combination over hidden_layer_sizes in {[2], [3,2], [16]} and alpha in",
        "S = 3 seeds (0, 1, 2). A seed sets the split, the initialisation and the order of rows",
        "conditional on it",
        "All 18 trainings completed.",
        "log-loss (probabilities clipped to [2.22e-16, 1 - 2.22e-16])",
        "Student t over seeds at level 90 %",
        "optimism, test minus validation",
        "scikit-learn 1.",
    ),
    "search": (
        "9 configurations were proposed by Optuna's tree-structured Parzen estimator",
        "learning_rate_init from 0.0001 to 10 (logarithmic)",
        "fell behind the median of the completed ones were given up, from epoch 2 on",
        "Only configurations with max 1000 weights and biases",
        "were given up",
    ),
    "models": (
        "multi-layer perceptrons, hidden layers [100], relu units; sklearn.tree.DecisionTreeClassifier; "
        "sklearn.preprocessing.PolynomialFeatures followed by sklearn.linear_model.LogisticRegression with "
        "logisticregression__max_iter 500",
        "alpha in {0.0001, 1} (where model is mlp)",
    ),
    "sizes": (
        "rows of a known law, linear teacher, drawn anew by every seed",
        "n = 50 to 200 training, 1000 validation and 1000 test rows",
        "alpha from 0.1 to 100 (logarithmic, 2 points)",
        "S = 3 seeds (3, 5, 9)",
        "losses on different data do not compare",
        "squared error",
    ),
    "one": ("One configuration was tried.", "With one seed there are no intervals.", "All 3", "S = 1 seed (0)")[:2],
    "joined": ("10 configurations", "the iris data"),
    "recorded": (
        "recorded elsewhere: data, models and training are not described here",
        "what they vary is not known",
        "is taken for granted",
        "its loss on test rows is not known",
        "versions of libraries are not known",
    ),
    "losses": ("Of 18 trainings 15 completed, 1 failed and 2 are missing;",),
    "undiagnosed": ("No verdicts were made.",),
}


@pytest.mark.parametrize("name", NAMES)
def test_a_paragraph_says_what_was_done(sweeps: dict[str, Sweep], name: str) -> None:
    text = methods_paragraph(sweeps[name], style="plain")
    for said in SAYS[name]:
        assert said in text, (said, text)
    assert text.count("\n") == 1
    assert "  " not in text


@pytest.mark.parametrize("name", NAMES)
def test_latex_is_the_same_text(sweeps: dict[str, Sweep], name: str) -> None:
    plain, tex = (methods_paragraph(sweeps[name], style=style) for style in ("plain", "latex"))
    assert tex == typeset(plain.strip()) + "\n"


def test_its_numbers_are_those_of_the_sweep(sweeps: dict[str, Sweep]) -> None:
    sweep = sweeps["grid"]
    text, chosen = methods_paragraph(sweep, style="plain"), sweep.verdicts.selection
    for one in (chosen.val, chosen.test, chosen.optimism):
        assert interval(one) in text
    null = sweep.constants()[0][1]["loss/val"].estimate
    assert f"δ = {number(0.05 * null)} on, 5 % of the mean validation loss of the constant predictor" in text


def test_what_the_spec_says_otherwise_is_said_otherwise(tiny: dict, tmp_path: Path) -> None:
    tiny["diagnosis"] = {"margin": 0.1, "level": 0.8, "corrected_resampling": True}
    tiny["seeds"] = {"values": [4, 7], "vary": ["init"]}
    tiny["model"]["biases"] = False
    tiny["data"]["scaling"] = "minmax"
    text = methods_paragraph(fitlab.run(tiny, store=tmp_path, jobs=1, publish=False), style="plain")
    for said in (
        "10 % of the mean validation loss",
        "at level 80 %",
        "Nadeau and Bengio 2003",
        "S = 2 seeds (4, 7). A seed sets the initialisation, alike",
        "without biases",
        "scaled to [0, 1]",
        "of the labels was replaced",
    ):
        assert said in text, said
    assert "conditional" not in text, "all seeds have the same rows"


def test_wrong_requests_are_refused(sweeps: dict[str, Sweep]) -> None:
    with pytest.raises(SpecError, match="style is latex or plain"):
        methods_paragraph(sweeps["grid"], style="html")
    with pytest.raises(SpecError, match="there is no Config"):
        methods_paragraph(Sweep(sweeps["grid"].spec, (), ()))


def test_seeds_that_change_nothing_give_no_intervals_and_that_is_said(tmp_path: Path) -> None:
    spec = {**SPECS["sizes"], "name": "alike", "data": {"kind": "diabetes"}, "seeds": {"count": 2, "vary": ["order"]}}
    spec["sweep"] = {"parameters": {"model.parameters.alpha": {"values": [1, 10]}}}
    sweep = fitlab.run(spec, store=tmp_path, jobs=1, publish=False)
    assert "All seeds gave the same numbers: there are no intervals." in methods_paragraph(sweep, style="plain")
    assert "without intervals" in latex_table(sweep)
    assert r"\pm" not in latex_table(sweep).partition(r"\midrule")[2]
