"""Labels in parameters: what scikit-learn does with the labels themselves, and labels that there are not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC
from trainers.conformance import job_and_split

from fitlab.trainers import building, labels

X = np.random.default_rng(0).normal(size=(60, 2))
CODES = (X[:, 0] + np.random.default_rng(1).normal(size=60) > 0).astype(int)
WEIGHED = {
    "alone": lambda weight: LogisticRegression(class_weight=weight),
    "in a pipeline": lambda weight: make_pipeline(LogisticRegression(class_weight=weight)),
    "within another": lambda weight: CalibratedClassifierCV(LogisticRegression(class_weight=weight), cv=2),
    "in a grid": lambda weight: GridSearchCV(LogisticRegression(), {"class_weight": [weight]}, cv=2),
}


@pytest.mark.parametrize("make", WEIGHED.values(), ids=WEIGHED)
@pytest.mark.parametrize(
    ("classes", "written"),
    [
        ([1, 2], ["1", "2"]),
        (["no", "yes"], ["no", "yes"]),
        ([-1.0, 1.0], ["-1", "1"]),
        ([False, True], ["false", "true"]),
    ],
    ids=str,
)
def test_a_weight_is_of_the_class_with_that_label(make: Any, classes: list, written: list) -> None:
    theirs = make({classes[0]: 1, classes[1]: 50}).fit(X, np.array(classes)[CODES])
    ours = labels.coded(make({written[0]: 1, written[1]: 50}), np.array(classes)).fit(X, CODES)
    assert (ours.predict_proba(X) == theirs.predict_proba(X)).all()


def test_a_constant_prediction_is_a_label() -> None:
    dummy = labels.coded(DummyClassifier(strategy="constant", constant=2), np.array([1, 2]))
    assert dummy.fit(X, CODES).predict(X).tolist() == [1] * 60


def test_what_names_no_label_stays() -> None:
    recoded = OneVsRestClassifier(SVC(class_weight={"1": 9}))  # one class against the rest
    for estimator in (SVC(class_weight="balanced"), SVC(), DummyClassifier(constant=None), recoded):
        assert str(labels.coded(clone(estimator), np.array([5, 6]))) == str(estimator)
        assert list(labels.problems(estimator, np.array([5, 6]))) == []


@pytest.mark.parametrize(
    ("estimator", "says"),
    [
        (SVC(class_weight={"0": 2}), ["model.parameters.class_weight: no such label", "given:   0", "allowed: 1, 2"]),
        (SVC(class_weight={"1": 2, "1.0": 3}), ["the same label twice"]),
        (DummyClassifier(constant=3), ["model.parameters.constant: no such label"]),
        (GridSearchCV(SVC(), {"class_weight": [None, {"3": 2}]}), ["model.parameters.param_grid: no such label"]),
    ],
    ids=str,
)
def test_a_label_that_the_data_do_not_have_is_a_problem(estimator: Any, says: list) -> None:
    (problem,) = labels.problems(estimator, np.array([1, 2]))
    assert all(words in str(problem) for words in says), str(problem)


def test_the_trainer_translates_what_the_spec_says() -> None:
    model = {"kind": "estimator", "estimator": "sklearn.svm.SVC", "parameters": {"class_weight": {"-1": 5}}}
    job, split = job_and_split({"name": "one", "data": {"kind": "make_hastie_10_2"}, "model": model})
    assert building.seeded(job.config.sections.model, 0, split.classes).class_weight == {0: 5}
