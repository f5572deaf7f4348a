"""Import names and parameters: everything wrong is said before anything is trained, and nothing else is imported."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fitlab import trainers
from fitlab.errors import Problem
from fitlab.spec import sections

SAFE = frozenset({"sklearn"})
LIST = ["sklearn.preprocessing.PolynomialFeatures", "sklearn.linear_model.Ridge"]


def problems(name: Any, parameters: dict | None = None, packages: frozenset[str] = SAFE, **model: Any) -> list[Problem]:
    model |= {"kind": "estimator", "estimator": name, "parameters": parameters or {}}
    made = sections({"data": {"kind": "iris"}, "model": model, "training": None})
    return list(trainers.problems(made, packages))


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("sklearn.svm.SVX", ["sklearn.svm has no SVX", "SVR"]),
        ("sklearn.smv.SVC", ["no module sklearn.smv", "did you mean sklearn.svm.SVC?"]),
        ("sklearn.SVC", ["sklearn has no SVC", "did you mean sklearn.svm.SVC?"]),
        ("SVC", ["without its package", "did you mean sklearn.svm.SVC?"]),
        ("sklearn svm", ["not an import name"]),
        ("sklearn.ensemble._forest.RandomForestClassifier", ["private", "sklearn.ensemble.RandomForestClassifier"]),
        ("sklearn.svm.SVC.__class__", ["private"]),
        ("sklaern.svm.SVC", ["did you mean sklearn?", "--allow sklaern"]),
        ("os.system", ["not allowed", "allowed: sklearn", "--allow os", "runs its code"]),
        ("sklearn.metrics.accuracy_score", ["not a class"]),
        ("sklearn.model_selection.KFold", ["not an estimator"]),
        ("sklearn.preprocessing.StandardScaler", ["predicts no target", "a transformer", "a step before"]),
        ("sklearn.model_selection.HalvingGridSearchCV", ["cannot be imported", "experimental"]),
        (["sklearn.preprocessing.StandardScaler", "sklearn.naive_bayes.MultinomialNB"], ["takes no negative features"]),
        ("sklearn.cluster.KMeans", ["a clusterer", "a classifier or a regressor"]),
        (["sklearn.svm.SVC", "sklearn.svm.SVC"], ["estimator[0]", "only the last may predict"]),
        ([LIST[0], "sklearn.svm.SVX"], ["model.estimator[1]", "no SVX"]),
    ],
)
def test_a_name_that_is_no_estimator_is_refused_with_a_hint(name: Any, says: list[str]) -> None:
    (problem,) = problems(name)
    said = str(problem).replace("   ", "").replace("\n", " ")
    assert all(words in said for words in says), said


@pytest.mark.parametrize(
    ("name", "parameters", "path", "says"),
    [
        ("sklearn.svm.SVC", {"gama": 1}, ("gama",), ["no such parameter", "did you mean gamma?", "kernel"]),
        ("sklearn.svm.SVC", {"C": -1}, ("C",), ["float in the range (0.0, inf", "given:   -1"]),
        ("sklearn.svm.SVC", {"random_state": None}, ("random_state",), ["the seed of the job"]),
        (LIST, {"ridge__alfa": 1}, ("ridge__alfa",), ["did you mean ridge__alpha?"]),
        (LIST, {"ridge__alpha": "much"}, ("ridge__alpha",), ["'alpha' parameter of Ridge", "given:   much"]),
        (
            "sklearn.ensemble.AdaBoostClassifier",
            {"estimator__max_depth": 1},
            ("estimator__max_depth",),
            ["give estimator:"],
        ),
        ("sklearn.ensemble.VotingClassifier", {}, (), ["VotingClassifier needs estimators"]),
        (
            "sklearn.ensemble.BaggingClassifier",
            {"estimator": {"estimator": "sklearn.tree.DecisionTreeClassifier", "parameters": {"max_depth": 0}}},
            ("estimator", "parameters", "max_depth"),
            ["range [1, inf)"],
        ),
        (
            "sklearn.ensemble.VotingClassifier",
            {"estimators": [["one", {"estimator": "sklearn.svm.SVC"}], ["two", {"estimator": "os.path.join"}]]},
            ("estimators", 1, 1, "estimator"),
            ["not allowed"],
        ),
        (
            "sklearn.ensemble.BaggingClassifier",
            {"estimator": {"estimator": "sklearn.svm.SVC", "params": {}}},
            ("estimator", "params"),
            ["unknown key"],
        ),
    ],
)
def test_a_parameter_that_does_not_fit_is_a_problem_at_its_place(
    name: Any, parameters: dict, path: tuple, says: list[str]
) -> None:
    (problem,) = problems(name, parameters)
    assert problem.path == ("model", "parameters", *path)
    assert all(words in str(problem) for words in says), str(problem)


SVC = {"estimator": "sklearn.svm.SVC"}
SEARCH = "sklearn.model_selection.GridSearchCV"
COLUMNS = [["one", {"estimator": "sklearn.preprocessing.MinMaxScaler"}, ["age"]], ["two", "passthrough", [1]]]


@pytest.mark.parametrize(
    ("name", "parameters", "at", "says"),
    [
        (LIST, {"memory": "cache"}, "memory", "runs the code"),
        ("sklearn.ensemble.BaggingClassifier", {"estimator": {"estimator": LIST}, "estimator__memory": "cache"},
         "estimator__memory", "runs the code"),
        (SEARCH, {"estimator": {"estimator": LIST}, "param_grid": {"memory": ["cache"]}}, "memory", "runs the code"),
        (SEARCH, {"estimator": SVC, "param_grid": [{"CC": [1]}]}, "CC", "did you mean C?"),
        (SEARCH, {"estimator": SVC, "param_grid": {"C": [1]}, "refit": False}, "refit", "predicts nothing"),
        ("sklearn.pipeline.Pipeline", {"steps": []}, "steps", "at least one"),
        ("sklearn.pipeline.Pipeline", {"steps": [1]}, 0, "not a name and an estimator"),
        ("sklearn.ensemble.VotingClassifier", {"estimators": [["svc", "sklearn.svm.SVC"]]}, 0, "not a name and an"),
        (["sklearn.compose.ColumnTransformer", LIST[1]], {"columntransformer__transformers": COLUMNS}, 0, "from 0"),
    ],
)  # fmt: skip
def test_what_every_fit_would_fail_at_is_refused(name: Any, parameters: dict, at: object, says: str) -> None:
    (problem,) = problems(name, parameters)
    assert problem.path[-1] == at
    assert says in str(problem)


def test_all_parameters_are_told_at_once() -> None:
    assert len(problems("sklearn.svm.SVC", {"C": -1, "kernel": "rbg", "gama": 1})) == 3


@pytest.mark.parametrize(
    ("name", "parameters", "axis", "path", "says"),
    [
        ("svm.SVC", {}, {"kind": "warm_start"}, "kind", "SVC has no warm_start"),
        ("ensemble.RandomForestClassifier", {}, {"kind": "partial_fit"}, "kind", "auto, none, warm_start"),
        ("ensemble.RandomForestClassifier", {}, {"kind": "staged"}, "kind", "no staged_predict"),
        (
            "linear_model.LogisticRegression",
            {},
            {"kind": "warm_start", "parameter": "max_iter"},
            "parameter",
            "one fit",
        ),
        ("ensemble.HistGradientBoostingClassifier", {}, {"kind": "warm_start"}, "parameter", "allowed: max_iter"),
        (
            "ensemble.GradientBoostingClassifier",
            {"n_iter_no_change": 2},
            {"kind": "warm_start"},
            "kind",
            "early stopping",
        ),
    ],
)
def test_an_axis_that_the_estimator_does_not_have_is_refused(
    name: str, parameters: dict, axis: dict, path: str, says: str
) -> None:
    (problem,) = problems(f"sklearn.{name}", parameters, axis=axis)
    assert problem.path == ("model", "axis", path)
    assert says in str(problem)


@pytest.mark.parametrize(
    "given",
    [{"early_stopping": True}, {"tol": 0.1}, {"class_weight": "balanced"}, {"learning_rate": "adaptive", "eta0": 0.1},
     {"max_iter": 5}],
    ids=str,
)  # fmt: skip
def test_what_partial_fit_does_not_honour_is_refused(given: dict) -> None:
    (problem,) = problems("sklearn.linear_model.SGDClassifier", given, axis={"kind": "partial_fit"})
    assert problem.path == ("model", "parameters", next(iter(given)))
    assert "partial_fit" in problem.message


def test_a_pipeline_has_no_axis() -> None:
    (problem,) = problems(LIST, axis={"kind": "partial_fit"})
    assert problem.path == ("model", "axis", "kind")


@pytest.mark.parametrize(
    ("name", "task", "given", "says"),
    [
        ("svm.SVR", "classification", {}, "a regressor for a task of classification"),
        ("svm.SVC", "regression", {}, "a classifier for a task of regression"),
        ("linear_model.MultiTaskLasso", "regression", {}, "several targets"),
        ("model_selection.FixedThresholdClassifier", "classification", {}, "two classes"),
        ("naive_bayes.MultinomialNB", "classification", {}, "no negative features"),
        ("svm.SVC", "classification", {"kernel": "precomputed"}, "distances of rows"),
    ],
)
def test_what_does_not_fit_the_data_is_a_misfit(name: str, task: str, given: dict, says: str) -> None:
    inner = {"estimator": {"estimator": "sklearn.svm.SVC"}} if "Threshold" in name else given
    model = {"kind": "estimator", "estimator": f"sklearn.{name}", "parameters": inner}
    made = sections({"data": {"kind": "iris"}, "model": model, "training": None})
    sizes = {"n_train": 75, "n_features": 4, "n_outputs": 3 if task == "classification" else 1}
    (problem,) = trainers.misfits(made, task, sizes, np.arange(3) if task == "classification" else np.empty(0))
    assert says in str(problem)


def test_another_package_is_imported_only_where_it_is_allowed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "elsewhere.py").write_text(
        "from sklearn.svm import SVC\nclass Mine(SVC):\n    def __init__(self, C=1.0):\n        super().__init__(C=C)\n"
    )
    (tmp_path / "broken.py").write_text("raise RuntimeError('not today')\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    within = {"estimator": {"estimator": "elsewhere.Mine"}}
    assert "--allow elsewhere" in problems("elsewhere.Mine")[0].hint
    assert problems("sklearn.ensemble.BaggingClassifier", within)[0].path[-1] == "estimator"
    assert "elsewhere" not in sys.modules
    assert problems("elsewhere.Mine", {"C": 2.0}, SAFE | {"elsewhere"}) == []
    assert problems("sklearn.ensemble.BaggingClassifier", within, SAFE | {"elsewhere"}) == []
    (problem,) = problems("broken.Mine", packages=SAFE | {"broken"})
    assert "RuntimeError: not today" in str(problem)
    (problem,) = problems("nowhere.Mine", packages=SAFE | {"nowhere"})
    assert "is nowhere installed" in str(problem)
    sys.modules.pop("elsewhere", None)


def test_a_class_that_takes_any_parameter_gets_it_unless_it_is_misspelt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "boosted.py").write_text(
        "from sklearn.base import BaseEstimator, ClassifierMixin\n"
        "class Booster(ClassifierMixin, BaseEstimator):\n"
        "    def __init__(self, num_leaves=31, **more):\n"
        "        self.num_leaves, self.more = num_leaves, more\n"
        "    def get_params(self, deep=True):\n"
        "        return {'num_leaves': self.num_leaves, **self.more}\n"
        "    def set_params(self, **given):\n"
        "        self.num_leaves = given.pop('num_leaves', self.num_leaves)\n"
        "        self.more |= given\n"
        "        return self\n"
        "    def fit(self, X, y): ...\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    allowed = SAFE | {"boosted"}
    assert problems("boosted.Booster", {"verbosity": -1}, allowed) == []
    assert "num_leaves?" in problems("boosted.Booster", {"num_leafs": 3}, allowed)[0].hint
    sys.modules.pop("boosted", None)
