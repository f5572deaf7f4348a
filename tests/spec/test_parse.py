"""A spec is read whole or refused with every problem, each with its place, what was given and what is allowed."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import SHIPPED
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from fitlab.errors import SpecError
from fitlab.spec import read_spec
from fitlab.spec.source import read_yaml

GOOD = """\
name: good
data: {kind: digits, train_size: 400}
model: {kind: mlp, hidden_layer_sizes: [8]}
training: {alpha: 1, epochs: 3}
seeds: 2
sweep:
  parameters:
    training.alpha: {values: [1e-4, 1]}
diagnosis: {capacity_axis: training.alpha}
"""

TPE = "method: tpe\n  trials: 5\n "
BAD = [  # what is changed in GOOD, and what the error must say: place, key, given or allowed or hint
    ("train_size: 400", "train_sise: 400", [":2:22", "data.train_sise", "unknown key", "did you mean train_size?"]),
    ("train_size: 400", "train_size: lots", [":2:22", '"lots"', "an integer ≥ 1 or a number > 0 and < 1 or all"]),
    ("epochs: 3", "epochs: 3.0", [":4:22", "given:   3.0", "an integer ≥ 1"]),
    ("epochs: 3", "epochs: true", ["training.epochs", "given:   true"]),
    ("epochs: 3", "epochs: .nan", ["a number must be finite", ".nan"]),
    ("alpha: 1,", "alpha: -1,", ["training.alpha", "given:   -1", "a number ≥ 0"]),
    ("kind: digits", "kind: digit", ["data.kind", "unknown kind", "did you mean digits?"]),
    ("kind: mlp", "kind: mpl", ["model.kind", "did you mean mlp?"]),
    ("kind: mlp", "kind: LogisticRegression", ["model.kind", "is it a class? then kind: estimator, estimator:"]),
    ("kind: mlp, ", "", ["model.kind", "missing key"]),
    ("name: good", "name: a/b", [":1:1", "name", '"a/b"', "text that matches"]),
    ("name: good\n", "", ["name: missing key"]),
    ("name: good", "name: good\nname: again", [":2:1", "duplicate key", "it stands at", ":1:1 already"]),
    ("seeds: 2", "seeds: 0", ["seeds", "given:   0"]),
    ("seeds: 2", "seeds: [1, -1]", ["seeds", "-1"]),
    ("values: [1e-4, 1]", "values: []", ["training.alpha.values", "at least one"]),
    ("values: [1e-4, 1]", "values: [1e-4, -1]", [":8:37", "training.alpha.values[1]", "-1", "a number ≥ 0"]),
    ("values: [1e-4, 1]", "low: 2, high: 1, points: 3", ["training.alpha.high", "the range is empty", "above low"]),
    ("values: [1e-4, 1]", "low: 0, high: 1, log: true, points: 3", ["alpha.log", "logarithmic", "low > 0"]),
    ("training.alpha: {v", "training.alfa: {v", ["training.alfa", "not a key that can be swept"]),
    ("training.alpha: {v", "data.kind: {v", ["data.kind", "kind cannot be swept"]),
    ("training.alpha: {v", "training.momentum: {v", ["momentum", "unknown key", "`when: {…}`"]),
    ("1]}", "1], when: {training.solvr: sgd}}", ["when", "unknown key", "did you mean training.solver?"]),
    ("1]}", "1], when: {training.alpha: 1}}", ["cannot depend on itself"]),
    (
        "axis: training.alpha",
        "axis: training.alfa",
        ["capacity_axis", "not a swept key", "did you mean training.alpha?"],
    ),
    ("seeds: 2", "seeds: !!int 2", [":5:8", "YAML tags are not allowed", "!!int"]),
    ("seeds: 2", "seeds: &x 2", [":5:8", "YAML anchors are not allowed"]),
    ("seeds: 2", "seeds: *x", [":5:8", "YAML aliases are not allowed"]),
    ("seeds: 2", "seeds: [2", ["not YAML"]),
    ("seeds: 2", "seeds: 0x_", [":5:8", "not a number"]),
    ("name: good", "name: Default", ["an experiment of this name of its own"]),
    ("training.alpha: {v", "data.label_noise: {values: [0.1]}\n    data.label_noise.rate: {v", ["stands inside"]),
    ("name: good", "%YAML 1.1\n---\nname: good", [":1:1", "only YAML 1.2"]),
    ("seeds: 2", "seeds: [1, 1]", ["seeds", "the same value twice", "each value once"]),
    ("seeds: 2", "seeds: {count: 2, vary: [init, init]}", ["seeds.vary", "the same value twice"]),
    ("epochs: 3", "epochs: 3, snapshots: [1, 1]", ["training.snapshots", "the same value twice"]),
    ("parameters:", "constraints: [{n_parameters: {}}]\n  parameters:", ["n_parameters", "without a bound"]),
    ("parameters:", "constraints: [{n_parameters: {min: 2, max: 1}}]\n  parameters:", ["nothing lies between"]),
    ("seeds: 2", "seeds: 2\nfoo: 1", [":6:1", "foo", "unknown key"]),
    ("kind: mlp", "kind: transformer", ["kind: transformer is not available yet", "use kind: mlp"]),
    ("kind: mlp, hidden_layer_sizes: [8]", "kind: estimator", ["model.estimator: missing key"]),
    (
        "kind: mlp, hidden_layer_sizes: [8]",
        "kind: estimator, estimator: sklearn.svm.SVC",
        [":4:1 training: an estimator has no training section", "model.axis"],
    ),
    ("{alpha: 1, epochs: 3}", "null", [":4:1 training", "not allowed", "null"]),
    ("alpha: 1,", "solver: lbfgs,", [":4:27 training.epochs: unknown key", "max_iter"]),
    (
        "kind: mlp, hidden_layer_sizes: [8]}\ntraining: {alpha: 1, epochs: 3}",
        "kind: mlp, biases: false}\ntraining: {solver: lbfgs}",
        [":4:12 training.solver: scikit-learn trains by lbfgs", "no biases: false", "adam, sgd"],
    ),
    ("{alpha: 1, epochs: 3}", "{early_stopping: {patience: 3}}", ["early_stopping.patience: unknown key", "tol"]),
    ("parameters:", "method: tpe\n  parameters:", [":6:1 sweep.trials: missing key"]),
    ("parameters:", "method: tp\n  parameters:", ["unknown method", '"tp"', "did you mean tpe?"]),
    ("parameters:", "trials: 5\n  parameters:", [":7:3 sweep.trials", "a grid trains every point", "qmc or random"]),
    ("parameters:", "early_terminate: {type: median}\n  parameters:", [":7:3 sweep.early_terminate", "a survey maps"]),
    ("parameters:", f"{TPE} early_terminate: {{type: medan}}\n  parameters:", ["unknown type", "did you mean median?"]),
    (
        "parameters:",
        f"{TPE} objective: loss/test\n  parameters:",
        ["sweep.objective", '"loss/test"', "one of loss/train"],
    ),
    (
        "parameters:",
        f"{TPE} objective: {{metric: loss/val, epoch: first}}\n  parameters:",
        [": 1 problem", "last, best"],
    ),
    ("parameters:", f"{TPE} objective: [loss/val, loss/val]\n  parameters:", ["the same metric twice"]),
    (
        "parameters:",
        f"{TPE} objective: [loss/val, n_parameters]\n  early_terminate: {{type: hyperband}}\n  parameters:",
        ["several objectives have no order"],
    ),
    (
        "training.alpha: {v",
        "training.solver: {values: [sgd, lbfgsb]}\n    training.alpha: {v",
        ["training.solver.values[1]"],
    ),
]


MODELS = "model: [{kind: mlp}, {kind: estimator, estimator: sklearn.svm.SVC}]"
ALTERNATIVES = [  # what is changed in GOOD with these models, and what the error must say
    ("values: [1e-4, 1]", "values: [1]", [":8:31", "an estimator has no training section", "`when: {model: mlp}`"]),
    ("[1e-4, 1]}", "[1], when: {model: mpl}}", [":8:42", "model never has this value", '["mlp", "SVC"]']),
    ("training.alpha: {values: [1e-4, 1]}", "model.hidden_layer_sizes: {values: [[1]]}", ["when: {model: mlp}`"]),
    ("training.alpha: {v", "model.parameters.C: {v", [": 1 problem", "is it for SVC alone", "`when: {model: SVC}`"]),
    ("[1e-4, 1]}", "[1], when: {model: mlp}}", None),
]


@pytest.mark.parametrize(("old", "new", "says"), ALTERNATIVES, ids=[new for _, new, _ in ALTERNATIVES])
def test_a_key_of_one_alternative_says_so(tmp_path: Path, old: str, new: str, says: list[str] | None) -> None:
    text = GOOD.replace("model: {kind: mlp, hidden_layer_sizes: [8]}", MODELS).replace(
        "axis: training.alpha", "axis: null"
    )
    text = text.replace(old, new)
    if says is None:
        assert len(read_spec({**read_yaml(text, "good").data}).spec.model) == 2
        return
    said = problem_of(tmp_path, text)
    for words in says:
        assert words in said, said


def problem_of(tmp_path: Path, text: str, *overrides: str) -> str:
    path = tmp_path / "bad.yaml"
    path.write_text(text)
    with pytest.raises(SpecError) as caught:
        read_spec(path, overrides)
    assert caught.value.exit_code == 2
    return str(caught.value)


@pytest.mark.parametrize(("old", "new", "says"), BAD, ids=[new.strip() or "(nothing)" for _, new, _ in BAD])
def test_each_bad_input_is_named(tmp_path: Path, old: str, new: str, says: list[str]) -> None:
    assert GOOD.count(old) == 1
    said = problem_of(tmp_path, GOOD.replace(old, new))
    assert "bad.yaml" in said
    for words in says:
        assert words in said, said


@pytest.mark.parametrize(("text", "says"), [("", "an empty file"), ("# only\n", "an empty file"), ("- 1\n", "a list")])
def test_what_is_no_mapping_is_no_spec(tmp_path: Path, text: str, says: str) -> None:
    assert f"a spec is a mapping, got {says}" in problem_of(tmp_path, text)


def test_all_problems_are_told_at_once_in_the_order_of_lines(tmp_path: Path) -> None:
    text = GOOD.replace("train_size", "train_sise").replace("epochs: 3", "epochs: 0").replace("seeds: 2", "seeds: !x 2")
    said = problem_of(tmp_path, text.replace("1e-4, 1]", "lots, 1]") + "extra: 1\nextra: 2\n")
    places = ["train_sise", "epochs", "!x", "values[0]", "extra: unknown", "extra: duplicate"]
    assert [said.index(place) for place in places] == sorted(said.index(place) for place in places)


@pytest.mark.parametrize("given", ["missing.yaml", ".", b"\xff\xfe\x00"])
def test_a_file_that_cannot_be_read_is_a_wrong_request(tmp_path: Path, given: str | bytes) -> None:
    path = tmp_path / "binary.yaml"
    path.write_bytes(given if isinstance(given, bytes) else b"")
    with pytest.raises(SpecError):
        read_spec(path if isinstance(given, bytes) else tmp_path / given)


def test_a_dict_a_file_and_a_spec_mean_the_same(tmp_path: Path) -> None:
    (tmp_path / "good.yaml").write_text(GOOD)
    from_file = read_spec(tmp_path / "good.yaml").spec
    as_dict = {
        "name": "good",
        "data": {"kind": "digits", "train_size": 400},
        "model": {"kind": "mlp", "hidden_layer_sizes": (8,)},
        "training": {"alpha": 1, "epochs": 3},
        "seeds": 2,
        "sweep": {"parameters": {"training.alpha": {"values": [1e-4, 1]}}},
        "diagnosis": {"capacity_axis": "training.alpha"},
    }
    assert read_spec(as_dict).spec == from_file == read_spec(from_file).spec
    assert read_spec(SHIPPED).spec.name == "digits-width"


@pytest.mark.parametrize("given", [None, 5, [1], {"name": {1}}, {}])
def test_what_is_no_spec_at_all_is_refused(given: object) -> None:
    with pytest.raises(SpecError):
        read_spec(given)


def test_a_spec_is_frozen() -> None:
    spec = read_spec(SHIPPED).spec
    with pytest.raises(ValidationError, match="frozen"):
        spec.name = "other"
    with pytest.raises(ValidationError, match="frozen"):
        spec.training.alpha = 3.0


def test_defaults_are_scikit_learns_where_it_has_one() -> None:
    from sklearn.neural_network import MLPClassifier

    theirs = MLPClassifier(solver="sgd").get_params()
    for solver in ("adam", "sgd"):
        data = {"name": "x", "data": {"kind": "iris"}, "model": {"kind": "mlp"}, "training": {"solver": solver}}
        spec = read_spec(data).spec
        ours = spec.training.model_dump() | spec.model.model_dump()
        ours["hidden_layer_sizes"] = tuple(ours["hidden_layer_sizes"])
        differ = {name for name in ours.keys() & theirs.keys() if ours[name] != theirs[name]}
        assert differ <= {"solver", "batch_size"}  # their batch size is min(200, N); ours is stated


def test_yaml_numbers_are_numbers(tmp_path: Path) -> None:
    (tmp_path / "n.yaml").write_text(GOOD.replace("alpha: 1,", "alpha: 1e-3,"))
    assert read_spec(tmp_path / "n.yaml").spec.training.alpha == 1e-3


@given(st.text(max_size=60))
def test_no_text_crashes_the_reader(tmp_path: Path, text: str) -> None:
    path = tmp_path / "fuzz.yaml"
    path.write_text(text, encoding="utf-8", errors="replace")
    with pytest.raises(SpecError):  # 60 characters are too few for a spec
        read_spec(path)


@pytest.mark.parametrize("bomb", ["[" * 5000, "a: " + "[" * 100 + "]" * 100, "a: " + "9" * 5000, "x" * 2_000_000])
def test_no_size_crashes_the_reader(tmp_path: Path, bomb: str) -> None:
    problem_of(tmp_path, bomb)


FOREST = """\
name: forest
data: {kind: digits}
model: {kind: estimator, estimator: sklearn.ensemble.RandomForestClassifier}
sweep: {parameters: {model.parameters.max_depth: {values: [1, 2]}}}
"""


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("kind: estimator,", "kind: estimator, n_estimators: 60,", "then parameters: {n_estimators: 60}"),
        ("model.parameters.max", "model.max", "did you mean model.parameters.max_depth?"),
        ("model.parameters.max_depth", "model.learning_rate", "did you mean model.parameters.learning_rate?"),
        ("kind: digits", "kind: csv, path: t.csv, target: y, split: {kind: group}", "a sweep of data.group needs one"),
    ],
)
def test_newcomers_are_told_where_parameters_of_estimators_stand(old: str, new: str, says: str) -> None:
    with pytest.raises(SpecError) as caught:
        read_spec(read_yaml(FOREST.replace(old, new), "forest.yaml").data)
    assert says in str(caught.value)


@pytest.mark.parametrize(("key", "wrong"), [("margin", 0), ("margin", 1), ("level", 0), ("level", 1), ("level", 90)])
def test_a_margin_or_level_that_decides_nothing_is_refused(tiny: dict, key: str, wrong: float) -> None:
    with pytest.raises(SpecError) as caught:
        read_spec({**tiny, "diagnosis": {key: wrong}})
    assert f"diagnosis.{key}: not allowed" in str(caught.value)
    assert "a number > 0 and < 1" in str(caught.value)
