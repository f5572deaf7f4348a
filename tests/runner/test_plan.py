"""Plans: the data are touched and every Config is checked against them, before anything is trained."""

from __future__ import annotations

from pathlib import Path

import pytest

from fitlab.errors import SpecError
from fitlab.runner.estimate import estimate
from fitlab.runner.plan import plan, read_plan
from fitlab.spec import read_spec

SPEC = """\
name: planned
data: {kind: iris, train_size: 60}
model: {kind: mlp, hidden_layer_sizes: [4]}
training: {batch_size: 16, epochs: 3}
seeds: 2
sweep:
  parameters:
    model.hidden_layer_sizes: {values: [[2], [64]]}
    training.alpha: {values: [1e-4, 1]}
"""


def refusal(tmp_path: Path, old: str, new: str) -> str:
    assert old in SPEC
    (tmp_path / "bad.yaml").write_text(SPEC.replace(old, new))
    with pytest.raises(SpecError) as caught:
        plan(read_spec(tmp_path / "bad.yaml"))
    return str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("batch_size: 16", "batch_size: 61", [":4:12", "batch_size", "given:   61", "at most 60"]),
        ("train_size: 60", "train_size: 600", [":2:20", "data.train_size", "more rows than there are", "at most 74"]),
        ("train_size: 60", "test: 0.7, validation: 0.3", ["no rows are left for training"]),
        ("epochs: 3", "epochs: 3, snapshots: [2, 5]", ["training.snapshots", "[5]", "epochs 0 to 3"]),
        ("training.alpha: {values: [1e-4, 1]}", "data.train_size: {values: [10, 600]}", [":9:5", "at most 74"]),
        ("kind: iris", "kind: arrays", ["arrays come from Python", "fitlab.run(spec, data=(X, y))"]),
        ("  parameters:", "  constraints: [{n_parameters: {max: 1}}]\n  parameters:", ["nothing satisfies", "all 4"]),
    ],
)
def test_what_the_data_cannot_give_is_a_problem_at_its_line(tmp_path: Path, old: str, new: str, says: list) -> None:
    said = refusal(tmp_path, old, new)
    for words in says:
        assert words in said, said


def test_problems_of_the_spec_and_of_the_data_are_told_at_once(tmp_path: Path) -> None:
    bad = SPEC.replace("batch_size: 16", "batch_size: 61").replace("seeds: 2", "seds: 2").replace("planned", "a/b")
    (tmp_path / "bad.yaml").write_text(bad)
    with pytest.raises(SpecError) as caught:
        read_plan(tmp_path / "bad.yaml")
    assert [problem.path for problem in caught.value.problems] == [("name",), ("seds",), ("training", "batch_size")]
    bad = SPEC.replace("train_size: 60", "train_size: 600, target_scaling: standard")
    (tmp_path / "bad.yaml").write_text(bad)
    with pytest.raises(SpecError, match="2 problems"):
        read_plan(tmp_path / "bad.yaml")


def test_a_constraint_leaves_configs_out_and_says_by_how_much(tmp_path: Path) -> None:
    made = plan(read_spec({**_plain(tmp_path), "sweep": _constrained({"max": 100})}))
    assert [one.config.plain["model"]["hidden_layer_sizes"] for one in made.planned] == [[2], [2]]
    weights = 4 * 64 + 64 + 64 * 3 + 3
    assert [broken.excess for broken in made.infeasible] == [{"n_parameters": weights - 100}] * 2
    tight = plan(read_spec({**_plain(tmp_path), "sweep": _constrained({"min": weights, "max": weights})}))
    assert len(tight.planned) == len(tight.infeasible) == 2


def _plain(tmp_path: Path) -> dict:
    (tmp_path / "good.yaml").write_text(SPEC)
    return dict(read_spec(tmp_path / "good.yaml").source.data)


def _constrained(bound: dict) -> dict:
    swept = {"model.hidden_layer_sizes": {"values": [[2], [64]]}, "training.alpha": {"values": [1e-4, 1]}}
    return {"parameters": swept, "constraints": [{"n_parameters": bound}]}


def test_jobs_are_configs_times_seeds_with_identities_of_their_own(tmp_path: Path) -> None:
    made = plan(read_spec(_plain(tmp_path)))
    assert len({job.digest for job in made.jobs}) == 4 * 2
    again = plan(read_spec({**_plain(tmp_path), "name": "renamed", "question": "another?", "seeds": [1, 0]}))
    assert {job.digest for job in again.jobs} == {job.digest for job in made.jobs}
    other = plan(read_spec({**_plain(tmp_path), "seeds": {"count": 2, "vary": ["init"]}}))
    assert not {job.digest for job in other.jobs} & {job.digest for job in made.jobs}


def test_estimates_grow_with_the_work(tmp_path: Path) -> None:
    jobs = plan(read_spec(_plain(tmp_path))).jobs
    some, more = estimate(jobs[:1], 1), estimate(jobs * 50, 1)
    assert 0 < some.low <= some.high
    assert some.high < more.high
    assert estimate([], 2).high == 0


def test_a_job_that_raises_is_left_out_of_the_timing() -> None:
    model = {"kind": "estimator", "estimator": "sklearn.neighbors.KNeighborsClassifier"}
    swept = {"parameters": {"model.parameters.n_neighbors": {"values": [1, 500]}}}
    jobs = read_plan({"name": "k", "data": {"kind": "iris"}, "model": model, "seeds": 1, "sweep": swept}).jobs
    both, broken = estimate(jobs, 1), estimate(jobs[1:], 1)
    assert (both.timed, both.untimed, both.high > 0) == (1, 1, True)
    assert (broken.timed, broken.untimed, broken.high) == (0, 1, 0)


ESTIMATOR = """\
name: planned
data: {kind: breast_cancer}
model: {kind: estimator, estimator: sklearn.ensemble.GradientBoostingClassifier, parameters: {n_estimators: 4}}
seeds: 2
sweep:
  parameters:
    model.parameters.max_depth: {values: [1, 3]}
    model.parameters.learning_rate: {low: 0.1, high: 1, log: true, points: 2}
"""


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("max_depth", "max_dept", [":7:5", "no such parameter", "did you mean max_depth?"]),
        ("[1, 3]", "[1, -3]", [":7:5", "'max_depth' parameter", "given:   -3"]),
        ("n_estimators", "n_estimator", [":3:95", "did you mean n_estimators?"]),
        ("sklearn.ensemble.", "xgboost.", [":3:26", "not allowed", "--allow xgboost"]),
        ("Classifier", "Regressor", [":3:26", "a regressor for a task of classification"]),
        ("  parameters:", "  constraints: [{n_parameters: {max: 1}}]\n  parameters:", [":6:3", "not known before"]),
        ("}}\nseeds", "}, axis: {kind: partial_fit}}\nseeds", [":3:120", "has no partial_fit", "warm_start"]),
    ],
)
def test_what_an_estimator_does_not_have_is_a_problem_at_its_line(
    tmp_path: Path, old: str, new: str, says: list
) -> None:
    assert old in ESTIMATOR
    (tmp_path / "bad.yaml").write_text(ESTIMATOR.replace(old, new))
    with pytest.raises(SpecError) as caught:
        read_plan(tmp_path / "bad.yaml")
    assert all(words in str(caught.value) for words in says), str(caught.value)


@pytest.mark.parametrize("axis", ["auto", "staged", "none"])
def test_a_sweep_of_estimators_is_planned_and_timed(tmp_path: Path, axis: str) -> None:
    (tmp_path / "good.yaml").write_text(ESTIMATOR)
    made = read_plan(tmp_path / "good.yaml", [f"model.axis.kind={axis}"])
    assert len(made.jobs) == 4 * 2
    assert {one.end for one in made.planned} == {1 if axis == "none" else 4}
    left = estimate(made.jobs, 1)
    assert 0 < left.low <= left.high < 10


def test_a_list_of_models_is_timed(tmp_path: Path) -> None:
    forest = {
        "kind": "estimator",
        "estimator": "sklearn.ensemble.RandomForestClassifier",
        "parameters": {"n_estimators": 3},
    }
    spec = {"name": "x", "data": {"kind": "iris"}, "model": [{"kind": "mlp"}, forest], "training": {"epochs": 3}}
    found = estimate(plan(read_spec(spec)).jobs, 1)
    assert 0 < found.low <= found.high


def test_a_job_that_stops_early_is_timed_as_far_as_it_goes(tmp_path: Path) -> None:
    stopping = "epochs: 300, early_stopping: {n_iter_no_change: 1, tol: 1e+9}}"
    (tmp_path / "s.yaml").write_text(SPEC.replace("epochs: 3}", stopping))
    made = plan(read_spec(tmp_path / "s.yaml"))
    found = estimate(made.jobs, 1)
    assert found.untimed == 0
    assert 0 < found.low <= found.high


def test_what_training_takes_can_be_swept_and_is_checked_in_its_place(tmp_path: Path) -> None:
    keys = """\
    training.learning_rate_multipliers: {values: [[], [0, 1]]}
    training.early_stopping: {values: [false, true]}
    training.class_weight: {values: [null, balanced]}
"""
    (tmp_path / "s.yaml").write_text(SPEC + keys)
    made = plan(read_spec(tmp_path / "s.yaml"))
    assert len({one.config.digest for one in made.planned}) == len(made.planned) == 2 * 2 * 8
    said = refusal(
        tmp_path, "    training.alpha", "    training.learning_rate_multipliers: {values: [[1]]}\n    training.alpha"
    )
    assert ":9:" in said
    assert "one a layer from the input" in said
    said = refusal(tmp_path, "hidden_layer_sizes: [4]}", "hidden_layer_sizes: [4], initial: nowhere}")
    assert ":3:" in said
    assert "model.initial" in said
    assert "No such file" in said
