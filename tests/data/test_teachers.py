"""Teachers against the closed forms and tabulated values that they exist for, and what a fresh draw promises."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
import pytest
from conftest import PROVE
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures

from fitlab import data
from fitlab.errors import SpecError
from fitlab.records import Split, Truth
from fitlab.runner.plan import read_plan
from fitlab.spec import read_spec

KINDS = [
    "linear_teacher", "decaying_teacher", "polynomial_fixed_x", "fixed_design", "sine", "two_bumps",
    "mlp_teacher", "gaussian_logistic", "threshold_teacher",
]  # fmt: skip
REPEATS = 2000 if PROVE else 100


def section(kind: str, **options: object):
    return read_spec({"name": "x", "data": {"kind": kind, **options}, "model": {"kind": "mlp"}}).spec.data


def split(kind: str, seed: int = 0, **options: object) -> Split:
    wanted = section(kind, **options)
    return data.split(data.load(wanted), wanted, seed)


def polynomial(degree: int):
    return make_pipeline(PolynomialFeatures(degree), LinearRegression())


OLS = LinearRegression(fit_intercept=False)
TABLE = [  # SCIENCE, section 3: teacher, learner, the exact test error averaged over draws of the training part
    ("fixed_design", {}, Ridge(alpha=20, fit_intercept=False), 1.251215),
    ("fixed_design", {}, Ridge(alpha=0.01, fit_intercept=False), 1.399667),
    ("decaying_teacher", {"n_visible": 7}, OLS, 0.39992),
    ("decaying_teacher", {"n_visible": 30}, OLS, 1.1568),
    ("decaying_teacher", {"n_visible": 100}, OLS, 1.0228),  # of minimal norm
    ("polynomial_fixed_x", {}, polynomial(4), 0.01181),
    ("polynomial_fixed_x", {}, polynomial(0), 0.4058),
    ("sine", {}, KNeighborsRegressor(20), 0.09885),
    ("sine", {}, KNeighborsRegressor(1), 0.1803),
    ("linear_teacher", {}, OLS, 1 + 10 / (100 - 10 - 1)),
    ("linear_teacher", {"n_samples": 400}, OLS, 1.0257),
]


@pytest.mark.parametrize(("kind", "options", "learner", "exact"), TABLE)
def test_learners_meet_the_tabulated_test_error(kind: str, options: dict, learner: object, exact: float) -> None:
    wanted = section(kind, **options)
    dataset = data.load(wanted)
    losses = []
    for seed in range(REPEATS):  # validation is drawn anew by every seed: the test part would share its luck
        made = data.split(dataset, wanted, seed)
        losses.append(np.square(learner.fit(made.X_train, made.y_train).predict(made.X_val) - made.y_val).mean())
    assert abs(np.mean(losses) - exact) < 4 * np.std(losses, ddof=1) / np.sqrt(REPEATS) + 5e-5 * exact


@pytest.mark.parametrize("fresh", [True, False])
@pytest.mark.parametrize(
    ("kind", "options"),
    [("linear_teacher", {}), ("decaying_teacher", {"n_visible": 3}), ("decaying_teacher", {"n_features": 20}),
     ("fixed_design", {}), ("gaussian_logistic", {}), ("gaussian_logistic", {"label_noise": 0.3, "intercept": 1.0})],
)  # fmt: skip
def test_the_best_predictor_has_the_loss_that_truth_says(kind: str, options: dict, fresh: bool) -> None:
    parts = {"test": 10_000} if fresh else {"n_samples": 12_000, "validation": 500, "test": 10_000, "fresh": False}
    made = split(kind, **options, **parts)
    X, y, truth = made.X_test, made.y_test, made.truth
    if kind == "gaussian_logistic":
        model = LogisticRegression(C=np.inf).fit(X, y)
        losses = -np.log(model.predict_proba(X)[np.arange(len(y)), y])
        wrong = model.predict(X) != y
        assert abs(wrong.mean() - truth.bayes_error) < 4 * wrong.std() / np.sqrt(len(y)) + 2e-3
    else:
        losses = np.square(OLS.fit(X, y).predict(X) - y)
    fitted = 2e-3 * X.shape[1] / 10 * (1 + truth.bayes_loss)  # on the rows it is judged by, and no exact logit
    assert abs(losses.mean() - truth.bayes_loss) < 4 * losses.std() / np.sqrt(len(y)) + fitted


def test_a_network_teacher_is_what_it_says() -> None:
    quiet, loud = (split("mlp_teacher", noise=noise, test=20_000) for noise in (0.0, 0.5))
    assert (quiet.X_test == loud.X_test).all()
    assert abs(np.std(quiet.y_test) - 1) < 0.05
    assert abs(np.std(loud.y_test - quiet.y_test) - 0.5) < 4 * 0.5 / np.sqrt(2 * 20_000)
    assert quiet.truth == Truth("mlp_teacher", 0.0, 0.0, None, "closed form")
    assert not (split("mlp_teacher", random_state=1, test=20_000).y_test == loud.y_test).any()


def test_two_bumps_are_those_of_scikit_learns_example() -> None:
    quiet = split("two_bumps", noise=0.0, test=20_000)
    x = quiet.X_test[:, 0]
    assert quiet.y_test == pytest.approx(np.exp(-(x**2)) + 1.5 * np.exp(-((x - 2) ** 2)))
    np.testing.assert_allclose(np.quantile(x, [0, 0.25, 0.5, 0.75, 1]), [-5, -2.5, 0, 2.5, 5], atol=0.15)
    assert len(quiet.y_train) == 50
    assert split("two_bumps").truth == Truth("two_bumps", 0.1, 0.1**2, None, "closed form")


@given(rate=st.floats(0, 1), tested=st.booleans())
def test_label_noise_moves_the_bayes_risk_as_a_mixture_does(rate: float, tested: bool) -> None:
    noise = {"rate": rate, "parts": ["train", "test"] if tested else ["train"]}
    clean, noisy = (split("gaussian_logistic", test=1, label_noise=r).truth for r in (0.0, noise))
    r = rate if tested else 0.0
    assert noisy.noise == rate
    np.testing.assert_allclose(noisy.bayes_error, (1 - r) * clean.bayes_error + r / 2, atol=1e-7)
    assert clean.bayes_loss - 1e-9 <= noisy.bayes_loss <= np.log(2) + 1e-9
    circles = split("make_circles", label_noise=noise).truth
    np.testing.assert_allclose([circles.bayes_error, circles.noise], [r / 2, rate], atol=1e-12)
    p = np.array([1 - r / 2, r / 2])
    np.testing.assert_allclose(circles.bayes_loss, -(p * np.log(np.maximum(p, 1e-300))).sum(), atol=1e-12)


def test_what_is_not_known_is_none_and_units_are_those_of_the_target() -> None:
    assert split("iris").truth is None
    assert split("iris", label_noise=0.2).truth == Truth("label noise", 0.2, None, None, "the rate in the spec")
    assert split("diabetes").truth is None
    assert split("make_friedman1", noise=2.0).truth.bayes_loss == 4.0
    made, raw = (split("linear_teacher", target_scaling=how) for how in ("standard", "none"))
    unit = raw.y_train.std()
    np.testing.assert_allclose([made.truth.noise, made.truth.bayes_loss], [1 / unit, 1 / unit**2])


@pytest.mark.parametrize("kind", KINDS)
def test_fresh_rows_are_new_for_every_seed_and_the_test_part_is_not(kind: str) -> None:
    one, same, other = (split(kind, seed) for seed in (1, 1, 2))
    moved = split(kind, 1, split_seed=5)
    for part in ("X_train", "y_train", "X_val", "y_val", "X_test", "y_test"):
        assert (getattr(one, part) == getattr(same, part)).all()
    assert (one.X_test == other.X_test).all()
    assert (one.y_test == other.y_test).all()
    assert (one.y_train != other.y_train).any()
    assert (one.y_val != other.y_val).any()
    assert (one.y_test != moved.y_test).any()
    fixed = kind in ("polynomial_fixed_x", "fixed_design", "sine")
    assert (one.X_train == other.X_train).all() == fixed
    if kind in ("polynomial_fixed_x", "fixed_design"):
        assert set(map(tuple, one.X_test)) == set(map(tuple, one.X_train))


@given(kind=st.sampled_from(KINDS), small=st.integers(1, 30), large=st.integers(1, 30), seed=st.integers(0, 9))
def test_a_smaller_fresh_part_is_the_beginning_of_a_larger_one(kind: str, small: int, large: int, seed: int) -> None:
    small, large = sorted((small, large))
    noise = {"label_noise": 0.3} if kind in ("gaussian_logistic", "threshold_teacher") else {}
    one, other = (split(kind, seed, train_size=size, validation=5, **noise) for size in (small, large))
    assert (one.X_train == other.X_train[:small]).all()
    assert (one.y_train == other.y_train[:small]).all()
    assert (one.y_val == other.y_val).all()


def test_a_law_is_identified_by_what_it_is_and_not_by_how_it_is_dealt() -> None:
    base = data.load(section("decaying_teacher")).fingerprint
    assert base == data.load(section("decaying_teacher", test=10, train_size=5, split_seed=3)).fingerprint
    changes = [{"noise": 0.4}, {"n_visible": 7}, {"n_samples": 41}, {"random_state": 1}, {"fresh": False}]
    prints = {data.load(section("decaying_teacher", **{"test": 9, "validation": 9, **c})).fingerprint for c in changes}
    assert len(prints | {base}) == 6


def test_a_fresh_law_needs_no_row_of_each_class_in_its_probe() -> None:
    made = split("gaussian_logistic", n_samples=1, intercept=8.0, test=20_000)
    assert made.n_outputs == 2
    assert set(made.y_test) == {0, 1}


@given(threshold=st.floats(-2, 2), rate=st.floats(0, 1))
def test_a_threshold_separates_classes_but_for_label_noise(threshold: float, rate: float) -> None:
    made = split("threshold_teacher", threshold=threshold, label_noise=rate, test=4000)
    wrong = (made.y_test != (made.X_test[:, 0] > threshold)).mean()
    assert abs(wrong - rate / 2) <= 5 * np.sqrt(rate / 2 * (1 - rate / 2) / 4000)
    assert made.truth.bayes_error == rate / 2
    share = NormalDist().cdf(-threshold)
    assert abs((made.X_test[:, 0] > threshold).mean() - share) <= 5 * np.sqrt(share * (1 - share) / 4000)


@pytest.mark.parametrize("kind", ["gaussian_logistic", "threshold_teacher"])
def test_the_probabilities_of_classes_are_those_of_the_test_labels(kind: str) -> None:
    wanted = section(kind, label_noise=0.3, test=20_000)
    made = split(kind, label_noise=0.3, test=20_000)
    p = data.expected_at(wanted, made.X_test)
    np.testing.assert_allclose(p.sum(axis=1), 1)
    best = p.argmax(axis=1)
    wrong = (best != made.y_test).mean()
    assert abs(wrong - made.truth.bayes_error) < 5 * np.sqrt(wrong * (1 - wrong) / 20_000)
    np.testing.assert_allclose((1 - p.max(axis=1)).mean(), made.truth.bayes_error, atol=5e-3)


@pytest.mark.parametrize("threshold", [1.0, 0.3, -1.0])
def test_a_linear_classifier_without_a_bias_is_right_as_often_as_its_closed_form_says(threshold: float) -> None:
    right = []
    for seed in range(REPEATS):
        made = split("threshold_teacher", seed, threshold=threshold)
        model = LogisticRegression(fit_intercept=False).fit(made.X_train, made.y_train)
        right.append(model.score(made.X_val, made.y_val))
    exact = 0.5 + NormalDist().cdf(-abs(threshold))  # .6587 at 1
    assert abs(np.mean(right) - exact) < 4 * np.std(right, ddof=1) / np.sqrt(REPEATS)


def test_a_condition_on_label_noise_reads_it_as_the_grammar_does() -> None:
    swept = {"training.alpha": {"values": [0.1, 1], "when": {"data.label_noise": 0.2}}}
    base = {"name": "x", "data": {"kind": "iris", "label_noise": 0.2}, "model": {"kind": "mlp"}}
    assert len(read_plan({**base, "seeds": 1, "sweep": {"parameters": swept}}).jobs) == 2


def test_data_keys_are_axes_like_any_other() -> None:
    swept = {
        "data.n_visible": {"low": 2, "high": 30, "points": 3},
        "data.train_size": {"values": [20, 40]},
        "data.noise": {"values": [0.1, 0.5]},
    }
    made = read_plan(
        {
            "name": "x",
            "data": {"kind": "decaying_teacher"},
            "model": {"kind": "mlp"},
            "training": {"batch_size": 8},
            "sweep": {"parameters": swept},
        }
    )
    assert len({job.digest for job in made.jobs}) == 3 * 2 * 2 * 5


@pytest.mark.parametrize(
    ("kind", "options", "key"),
    [
        ("linear_teacher", {"n_samples": 10**11}, "n_samples"),
        ("linear_teacher", {"n_features": 10**12}, "n_features"),
        ("mlp_teacher", {"n_hidden": 10**12}, "n_hidden"),
        ("linear_teacher", {"validation": 10**12}, "validation"),
        ("sine", {"test": 10**12}, "test"),
        ("linear_teacher", {"noise": 1e200}, "noise"),
        ("make_regression", {"noise": 1e200}, "noise"),
        ("make_moons", {"n_samples": 10**12}, "n_samples"),
        ("make_blobs", {"n_features": 10**9, "n_samples": 10**6}, "n_features"),
        ("make_blobs", {"centers": 10**9}, "centers"),
    ],
    ids=str,
)
def test_what_no_machine_holds_is_refused_by_its_key(kind: str, options: dict, key: str) -> None:
    with pytest.raises(SpecError) as caught:
        read_plan({"name": "x", "data": {"kind": kind, **options}, "model": {"kind": "mlp"}})
    assert {problem.path for problem in caught.value.problems} == {("data", key)}
