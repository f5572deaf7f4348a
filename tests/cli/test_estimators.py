"""Estimators at the command line and from Python: refused with their line, warned of once, allowed by a flag."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from conftest import ROOT

import fitlab
from fitlab.cli import run

SPEC = """\
name: margins
data: {kind: breast_cancer}
model: {kind: estimator, estimator: sklearn.svm.LinearSVC, parameters: {max_iter: 2}}
seeds: 2
sweep: {parameters: {model.parameters.C: {values: [0.1, 100]}}}
"""


def call(monkeypatch: pytest.MonkeyPatch, *words: object) -> int:
    monkeypatch.setattr(sys, "argv", ["fitlab", *map(str, words)])
    with pytest.raises(SystemExit) as end:
        run()
    return int(end.value.code or 0)


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    (tmp_path / "margins.yaml").write_text(SPEC)
    return tmp_path / "margins.yaml"


def test_warnings_are_told_once_and_do_not_flood(
    spec: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    store = tmp_path / "store"
    assert call(monkeypatch, "sweep", spec, "--store", store, "--jobs", 1, "--no-publish") == 0
    said = capfd.readouterr()
    assert said.out.count("ConvergenceWarning") == 1
    assert "warned 4 ×: ConvergenceWarning: Liblinear failed to converge" in said.out
    assert "Loss: zero one loss." in said.out
    assert said.err == ""
    assert call(monkeypatch, "status", "--store", store) == 0
    assert "4 × warned: ConvergenceWarning" in capfd.readouterr().out


@pytest.mark.parametrize("command", [["check", "--no-data"], ["check"], ["plan"], ["sweep"]])
def test_a_wrong_estimator_is_refused_with_its_line_and_nothing_is_written(
    spec: Path,
    tmp_path: Path,
    command: list,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    spec.write_text(SPEC.replace("LinearSVC", "LinearSCV").replace("max_iter", "max_itr"))
    monkeypatch.chdir(tmp_path)
    assert call(monkeypatch, *command, spec) == 2
    assert "margins.yaml:3:26 model.estimator: sklearn.svm has no LinearSCV" in capfd.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["margins.yaml"]


def test_another_package_needs_the_flag(
    spec: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "abroad.py").write_text("from sklearn.svm import LinearSVC\n\nclass Mine(LinearSVC):\n    pass\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    spec.write_text(SPEC.replace("sklearn.svm.LinearSVC", "abroad.Mine"))
    assert call(monkeypatch, "check", spec) == 2
    assert "--allow abroad" in capfd.readouterr().err
    assert "abroad" not in sys.modules
    assert call(monkeypatch, "check", spec, "--allow", "abroad") == 0
    swept = fitlab.run(spec, store=tmp_path / "store", jobs=1, publish=False, allow=["abroad"])
    assert [str(fit.outcome) for fit in swept.fits] == ["completed"] * 4
    assert fitlab.load("margins", tmp_path / "store").fits == swept.fits
    sys.modules.pop("abroad", None)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["boosting", "knn", "polynomial", "svc"])
def test_the_shipped_experiments_run_and_show_both_ends(name: str, tmp_path: Path) -> None:
    small = ["seeds=2", "sweep.parameters.model.parameters.n_estimators={values: [10, 30]}"]
    path = ROOT / "experiments" / f"{name}.yaml"
    swept = fitlab.run(path, store=tmp_path, jobs=1, publish=False, overrides=small[: 2 if name == "boosting" else 1])
    table = swept.table()
    null = table["loss/val"].iloc[-1]
    gap, train = table["gap/loss"].iloc[:-1], table["loss/train"].iloc[:-1]
    assert gap.max() > 0.25 * null  # one memorises
    assert train.max() > 0.2 * null  # one is too small
    assert table["loss/val"].min() < 0.85 * null
