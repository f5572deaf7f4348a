"""How often verdicts are right, in a reduced form of `make calibrate`; the truth it judges by against closed forms."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from conftest import PROVE, ROOT
from scipy import stats

from experiments.calibration import judge, log_loss, networks, pictures, report, rules, score, squared
from experiments.calibration.__main__ import calibrated
from experiments.calibration.problems import Problem, Risks, draws, risks
from experiments.calibration.truth import truth
from fitlab.verdicts import Label

SEED = 31  # of development: the reduced form is no fresh evidence; FITLAB_PROVE draws anew
PLAN = judge.Plan(2027) if PROVE else judge.Plan(SEED, truth=40, seeds=20, grid=0, pools=1)


def only(problems: list[Problem], family: str, setting: int) -> Problem:
    return [problem for problem in problems if problem.family == family][setting]


def reduced() -> list[int]:
    """The first and the last setting of each family, of networks but one: they take long."""
    families = [problem.family for problem in judge.problems()]
    last = len(families) - 1
    ends = {families.index(name) for name in families} | {last - families[::-1].index(name) for name in families}
    return [*(i for i in ends if not families[i].startswith("network")), families.index("network, epochs")]


def close(draws: np.ndarray, exact: np.ndarray) -> None:
    """Means over axis 0 lie within 4 standard errors of what is exact."""
    error = draws.std(axis=0, ddof=1) / np.sqrt(len(draws))
    assert (np.abs(draws.mean(axis=0) - exact) <= 4 * error + 1e-9).all()


# --- the truth


def test_ridge_on_a_fixed_design_has_the_risk_of_its_closed_form() -> None:
    problem = only(squared.problems(), "ridge, fixed design", 1)
    X = problem.inputs(np.random.default_rng(0), 50)
    d, Vt = np.linalg.svd(X)[1:]
    shrunk = d**2 / (d**2 + np.array([1e5, 1000, 100, 20, 5, 1, 0.01])[:, None])
    bias = ((1 - shrunk) ** 2 * (d * (Vt @ squared.unit(20))) ** 2).sum(axis=1) / 50
    exact = 1 + bias + (shrunk**2).sum(axis=1) / 50
    assert exact[[6, 5, 3, 2, 1]] == pytest.approx([1.399667, 1.371175, 1.251215, 1.426489, 1.941108], abs=1e-6)
    known = risks(problem, np.random.default_rng(1), 300)
    close(known.end, exact)
    assert known.bias == pytest.approx(1 + bias, abs=0.02)


def test_minimum_norm_has_the_risk_of_belkin_hsu_and_xu() -> None:
    problem = only(squared.problems(), "minimum norm, double descent", 1)
    b, n, noise = 1 / np.arange(1.0, 201), 40, 0.25
    b /= np.linalg.norm(b)
    exact = []
    for p in (1, 3, 7, 15, 25, 34, 46, 60, 100, 200):
        inside, outside = (b[:p] ** 2).sum(), (b[p:] ** 2).sum()
        factor = 1 + p / (n - p - 1) if p < n else 1 + n / (p - n - 1)
        exact.append((outside + noise) * factor + (inside * (1 - n / p) if p > n else 0))
    known = risks(problem, np.random.default_rng(1), 400 if PROVE else 100)
    close(known.end, np.array(exact))
    marks = truth(problem, known, 0.05)
    assert marks.answers[5] == {Label.OVERFIT}  # p = 34: the peak, although the best of the far side has more features
    assert marks.answers[0] == {Label.UNDERFIT}


def test_descent_on_least_squares_has_the_epochs_of_its_closed_form() -> None:
    problem = only(squared.problems(), "gradient descent, epochs", 0)
    rng = np.random.default_rng(0)
    X, y = problem.sample(rng, problem.n)
    model = problem.learn(X, y, rng)[2]
    w = np.zeros(X.shape[1])
    for _ in range(30):
        w = w - 0.2 * X.T @ (X @ w - y) / len(X)
    assert model(X, slice(-2, -1))[0] == pytest.approx(X @ w, rel=1e-9)


@pytest.mark.slow
def test_the_risk_under_the_law_is_the_mean_validation_loss() -> None:
    for i, problem in enumerate([*squared.problems(), *log_loss.problems()]):
        if not PROVE and (i % 6 or problem.axis == "epochs"):
            continue
        drawn = draws(problem, np.random.default_rng(i), 60)
        known = risks(problem, np.random.default_rng(1000 + i), 60)
        for c, val in enumerate(drawn.val):
            if c in problem.diverges or known.end[:, c].mean() > 1.05 * np.median(known.end[:, c]):
                continue  # a few draws make the mean
            sampled, integrated = val[:, -1], known.end[:, c]
            error = np.sqrt((sampled.var(ddof=1) + integrated.var(ddof=1)) / 60)
            assert abs(sampled.mean() - integrated.mean()) <= 4.5 * error + 1e-9, (problem.family, c)


def test_networks_say_what_the_trainer_says() -> None:
    rng = np.random.default_rng(0)
    for problem, classes in ((networks.problems()[0], 2), (networks.problems()[3], 3), (networks.problems()[6], 0)):
        X, y = problem.sample(rng, 40)
        fit = networks.trained(networks.config(4, 6, learning_rate_init=0.01), X, y, classes, seed=5)
        ours = networks.outputs(fit.weights, X[:2], classes)
        assert ours == pytest.approx(fit.predictions["test"], rel=1e-9)
        told = networks.predict(fit, fit.job.config.sections.training.snapshots, classes)(X, slice(None, None))
        assert told.shape[:2] == (8, 40)


def test_clear_is_what_both_halves_of_the_draws_find_clear() -> None:
    problem = only(squared.problems(), "ridge, random design", 0)
    end = np.ones((4, 7))
    end[:, 0], end[:, 1], end[:2, 5], end[:, 6] = 1.5, 1.06, 1.3, 2.0
    known = Risks(end, end, np.full(4, 2.0), np.ones(7))
    found = truth(problem, known, 0.05)
    assert [set(answer) for answer in found.answers] == [
        {Label.UNDERFIT},
        set(),  # between
        *[{Label.GOOD, Label.BENIGN}] * 3,
        set(),  # one half says overfit, the other says good
        {Label.OVERFIT},
    ]
    assert found.excess == pytest.approx([5, 0.6, 0, 0, 0, 1.5, 10])


def test_equal_seeds_give_equal_draws_and_other_seeds_others() -> None:
    tables = [judge.judged(judge.Plan(seed, truth=6, seeds=5, grid=0, pools=1), 0)[0] for seed in (1, 1, 2)]
    pd.testing.assert_frame_equal(tables[0], tables[1])
    assert not tables[0].excess.equals(tables[2].excess)


# --- the rules that people use


def test_naive_rules_on_four_configs() -> None:
    seen = rules.Seen(
        kind="log_loss",
        train=np.array([0.68, 0.5, 0.3, 0.0]),
        val=np.array([0.69, 0.52, 0.53, 2.0]),
        error=np.full(4, 0.02),
        null=0.7,
        null_train=0.69,
        scores=np.array([[[a, 0.5], [b, 0.5]] for a, b in ((0.55, 0.54), (0.8, 0.79), (0.9, 0.78), (1.0, 0.7))]),
        null_scores=np.array([[0.52, 0.5], [0.5, 0.5]]),
    )
    short = {Label.GOOD: "g", Label.OVERFIT: "o", Label.UNDERFIT: "u"}
    said = {name: "".join(short[label] for label in rule(seen)) for name, rule in rules.NAIVE.items()}
    assert said == {
        "one standard error": "uggo",
        "validation argmin": "ugoo",
        "gap > 0.1": "ugoo",
        "val / train > 1.2": "ugoo",
        "accuracy or R² gap > 0.1": "ugoo",
        "skore's thresholds": "ugoo",
    }


# --- the calibration


@pytest.fixture(scope="module")
def found() -> Iterator[dict]:
    with np.errstate(all="ignore"):
        yield calibrated(PLAN, 2, None if PROVE else reduced())


@pytest.mark.slow
def test_confident_verdicts_are_right(found: dict) -> None:
    slack = 0.0 if PROVE else 0.01
    for kind in score.KINDS:
        ours = found["rules"][kind]["this rule, confident"]
        assert ours["accuracy"] >= score.TARGETS["accuracy"] - slack, kind
        assert ours["coverage"] >= score.TARGETS["coverage"] - slack, kind
        assert found["near"][kind]["rate"] <= score.TARGETS["near"] + 4 * slack, kind
        naive = max(found["rules"][kind][name]["accuracy"] for name in rules.NAIVE)
        assert ours["accuracy"] > naive + 0.03
    for entry in found["families"]:
        sure = round(entry["coverage"] * entry["n"])
        wrong = sure - round(sure * (entry["accuracy"] or 0.0))
        share = 1 - score.TARGETS["family"]
        assert wrong <= (share * sure if PROVE else stats.binom.ppf(0.999, sure, share)), entry["family"]


@pytest.mark.slow
def test_divergence_is_always_found_and_never_invented(found: dict) -> None:
    assert found["diverged"]["of"] > 0
    assert found["diverged"]["found"] == found["diverged"]["of"]
    assert found["diverged"]["false"] == 0


@pytest.mark.slow
def test_t_intervals_cover(found: dict) -> None:
    for entry in found["intervals"]:
        if not entry["heavy"]:
            error = 4 * np.sqrt(0.09 / entry["n"]) + (0.0 if PROVE else 0.01)  # the truth is from few draws, too
            assert abs(entry["coverage"] - judge.LEVEL) <= score.TARGETS["interval"] + error, entry


@pytest.mark.slow
def test_the_report_has_every_table_and_both_pictures(found: dict, tmp_path: Path) -> None:
    plain = json.loads(json.dumps(found))
    page = tmp_path / "page.md"
    page.write_text(f"before\n{report.BEGIN}replaced{report.END}\nafter\n")
    report.put(page, report.markdown(plain))
    report.put(page, report.markdown(found))  # again, over itself; JSON loses nothing that it shows
    text = page.read_text()
    assert "replaced" not in text
    assert text.startswith("before\n")
    assert text.endswith("after\n")
    assert text.count(report.BEGIN) == 1
    assert all(name in text for name in score.RULES)
    pictures.draw(plain, tmp_path)
    assert {path.name for path in tmp_path.glob("*.png")} == {"verdict-power.png", "verdict-families.png"}


def test_the_published_tables_are_those_of_the_published_numbers() -> None:
    page = (ROOT / "docs" / "verdict.md").read_text()
    published = json.loads((ROOT / "docs" / "calibration.json").read_text())
    assert report.markdown(published) in page
    assert all(met for _, met in published["targets"].values())
