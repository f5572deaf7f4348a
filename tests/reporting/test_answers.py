"""The answer in two sentences: of sweeps of which the right one is known, and of those that have none."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from diagnosis.frames import GOOD, OVERFIT, SHAPES, SIZES, UNDERFIT, falling, recorded

import fitlab
from fitlab.diagnosis import diagnose
from fitlab.diagnosis.naming import interval, name_of
from fitlab.expectations import Checked, State
from fitlab.reporting.answers import answer, sentences
from fitlab.sweep import Sweep
from fitlab.verdicts import Verdicts


def judged(*arguments: Any, **options: Any) -> Sweep:
    sweep = recorded(*arguments, **options)
    return replace(sweep, verdicts=diagnose(sweep))


def checked(*states: State) -> list[Checked]:
    return [Checked("a claim", "", "loss/val", "", "1", "1", "", state) for state in states]


def test_along_a_capacity_axis_it_says_where_which_verdict_holds() -> None:
    shapes = {**SHAPES, "huge": (OVERFIT[0], OVERFIT[1] + 0.2)}
    first, second = sentences(judged(shapes, capacity={**SIZES, "huge": 4.0}))
    assert first == (
        "Configs underfit at capacity 1, are good at 2 and overfit from 3 to 4: of 4 Configs 2 overfit, 1 is good and "
        "1 underfits."
    )
    assert second.startswith("Validation selects right, which loses ")


def test_it_counts_and_says_what_the_good_ones_share(tmp_path: Path, tiny: dict) -> None:
    sweep = fitlab.run({**tiny, "seeds": 3}, store=tmp_path, publish=False, jobs=1)
    labels = {one.digest: ("good" if one.swept["training.alpha"] == 1 else "overfit") for one in sweep.configs}
    verdicts = {
        digest: replace(sweep.verdicts.by_config[digest], label=fitlab.Label(label), leaning=None, unbeaten=False)
        for digest, label in labels.items()
    }
    first, second = sentences(replace(sweep, verdicts=replace(sweep.verdicts, by_config=verdicts)))
    assert first == "Of 4 Configs 2 are good (all with alpha 1) and 2 overfit."
    selection = sweep.verdicts.selection
    chosen = next(one for one in sweep.configs if one.digest == selection.config)
    assert f"Validation selects {name_of(chosen)}, which loses {interval(selection.test)} on the test part" in second


@pytest.mark.parametrize(
    ("curves", "options", "said"),
    [
        ({"only": GOOD}, {}, "The one Config is good: "),
        (SHAPES, {"seeds": 1}, "With one seed nothing tells how much losses vary, so none of 3 Configs is decided."),
        (
            {"a": (falling(0.6), falling(0.9)), "b": (falling(0.6), falling(0.9))},
            {"noise": 0.2, "seeds": 2},
            "None of 2 Configs is decided at 90 % with 2 seeds",
        ),
        ({"a": (np.full(41, np.nan),) * 2, "b": (np.full(41, np.inf),) * 2}, {}, "Every one of 2 Configs diverged, "),
        ({"a": (falling(1.99), falling(2.0)), "b": (falling(0.0), falling(2.4))}, {}, "No Config is better than the "),
        ({"a": (falling(1.99), falling(2.0))}, {}, "The one Config is not better than the constant predictor "),
    ],
)
def test_where_little_is_known_it_says_so(curves: dict, options: dict, said: str) -> None:
    assert answer(judged(curves, **options)).startswith(said)


def test_nothing_trained_not_diagnosed_and_all_failed_are_no_answer(tmp_path: Path, tiny: dict) -> None:
    plain = recorded(SHAPES)
    assert answer(replace(plain, fits=())).startswith("Nothing is trained yet, so there is no answer: 3 Configs × 5 ")
    assert answer(plain).startswith("The sweep is not diagnosed yet")
    model = {"kind": "estimator", "estimator": "sklearn.neighbors.KNeighborsClassifier"}
    many = {"parameters": {"model.parameters.n_neighbors": {"values": [1000, 2000]}}}  # more than there are rows
    failing = {**{key: value for key, value in tiny.items() if key != "training"}, "model": model, "sweep": many}
    sweep = fitlab.run(failing, store=tmp_path, publish=False, jobs=1)
    first, second = sentences(sweep)
    assert first == ("No Config completed under every seed, so there is no answer: of 4 Fits 4 failed.")
    assert second.startswith("The most frequent cause, 2 ×: ")


def test_expectations_come_first_in_the_second_sentence() -> None:
    sweep = judged(SHAPES)
    passed, failed, left = State.PASSED, State.FAILED, State.NOT_EVALUATED
    for states, said in (
        ((passed,), "The one expectation of the spec holds; validation selects "),
        ((passed, passed), "All 2 expectations of the spec hold; "),
        ((left,), "The one expectation of the spec could not be evaluated; "),
        ((passed, failed, left), "Of 3 expectations of the spec 1 hold, 1 does not and 1 could not be evaluated; "),
    ):
        assert sentences(sweep, checked(*states))[1].startswith(said)


def test_configs_on_different_data_are_not_selected_among(tmp_path: Path, tiny: dict) -> None:
    parameters = {"data.label_noise.rate": {"values": [0.0, 0.8]}}
    spec = {**tiny, "sweep": {"parameters": parameters}, "seeds": 3, "data": {"kind": "iris"}}
    first, second = sentences(fitlab.run(spec, store=tmp_path, publish=False, jobs=1))
    assert "judged on its own data (rate)" in first or first.startswith("No Config is better")
    assert second.startswith("Losses on different data do not compare, so none is selected: the lowest validation loss")
    assert re.search(r" at rate 0 and .* at 0\.8\.$", second)


def test_it_is_two_sentences_and_the_same_again_with_any_names() -> None:
    names = {"<script>alert(1)</script>": UNDERFIT, "50 % of $x_1$ & co.": GOOD, "*bold*": OVERFIT}
    for sweep in (judged(names), judged(names, seeds=1), replace(recorded(names), verdicts=Verdicts())):
        both = sentences(sweep)
        assert answer(sweep) == " ".join(both) == answer(sweep)
        for one in both:
            assert one.endswith(".")
            assert not re.search(r"\w\. [A-Z]", one)
