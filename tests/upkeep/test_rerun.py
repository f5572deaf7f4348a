"""``fitlab rerun DIGEST --verify``: a Fit comes again bit for bit, and where it does not that is said."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from cli.test_cli import Fitlab, fitlab  # noqa: F401 (a fixture)
from runner.test_failures import Unlucky, bad  # noqa: F401 (a fixture)

from fitlab import run
from fitlab.errors import SpecError
from fitlab.records import Fit, Outcome
from fitlab.store import Store, write_fit
from fitlab.upkeep.rerun import find, rerun

MODELS = {
    "networks": {},
    "regression": {"data": {"kind": "diabetes"}},
    "snapshots and early stopping": {"training": {"epochs": 30, "snapshots": [0, 3], "early_stopping": {}}},
    "sgd that diverges": {"training": {"solver": "sgd", "epochs": 6, "learning_rate_init": 1e200}},
    "lbfgs": {"training": {"solver": "lbfgs", "max_iter": 20}},
    "forest": {
        "model": {
            "kind": "estimator",
            "estimator": "sklearn.ensemble.RandomForestClassifier",
            "parameters": {"n_estimators": 5},
        }
    },
    "boosting": {
        "model": {
            "kind": "estimator",
            "estimator": "sklearn.ensemble.GradientBoostingClassifier",
            "parameters": {"n_estimators": 4},
        }
    },
    "a search": {
        "sweep": {
            "method": "tpe",
            "trials": 6,
            "wave": 3,
            "early_terminate": {"type": "median", "min_epochs": 2, "n_startup_trials": 1},
            "parameters": {"training.learning_rate_init": {"low": 1e-4, "high": 1e-1, "log": True}},
        }
    },
}


def contents(store: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in store.rglob("*") if path.is_file()}


def fits_of(change: dict, tiny: dict, store: Path, **options: object) -> tuple[Fit, ...]:
    tiny["sweep"] = {}
    spec = {**tiny, **change}
    if spec["model"]["kind"] == "estimator":
        del spec["training"]
    return run(spec, store=store, jobs=1, publish=False, **options).fits


@pytest.mark.parametrize("name", MODELS)
def test_every_kind_of_fit_comes_again_bit_for_bit_and_the_store_is_as_it_was(
    tiny: dict, tmp_path: Path, name: str
) -> None:
    fits = fits_of(MODELS[name], tiny, tmp_path)
    before, place = contents(tmp_path), Store.at(tmp_path)
    if name == "a search":
        assert Outcome.PRUNED in {fit.outcome for fit in fits}
    for fit in fits:
        found = rerun(place, fit.job.digest)
        assert found.identical
        assert found.equal
        assert (found.arrays, found.words) == ((), ())
        assert not found.environment.keys() - {"commit"}
    assert contents(tmp_path) == before


def test_a_fit_that_failed_fails_again(tiny: dict, tmp_path: Path, bad: dict) -> None:
    bad["sweep"]["parameters"]["model.parameters.day"]["values"] = ["raises"]
    fit = run(bad, store=tmp_path / "s", jobs=1, publish=False, allow=["bad_days"]).fits[0]
    assert fit.outcome is Outcome.FAILED
    assert rerun(Store.at(tmp_path / "s"), fit.job.digest, packages=frozenset({"bad_days"})).identical
    with pytest.raises(SpecError, match="--allow"):
        rerun(Store.at(tmp_path / "s"), fit.job.digest)


def test_one_that_failed_by_bad_luck_is_not_equal_to_one_that_did_not(
    tiny: dict, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        Unlucky(patch, 99)
        fit = fits_of({}, tiny, tmp_path)[0]
    found = rerun(Store.at(tmp_path), fit.job.digest)
    assert not found.equal
    assert "outcome: failed, now completed" in found.words


def changed(fit: Fit, amount: float) -> Fit:
    """A Fit of which one weight is off by so much of the largest one."""
    weight = np.array(fit.weights["output/weight"])
    weight[0, 0] += amount * np.abs(weight).max()
    return replace(fit, weights={**fit.weights, "output/weight": weight}, snapshots={}, predictions=fit.predictions)


@pytest.mark.parametrize(
    ("amount", "elsewhere", "equal"),
    [(1e-9, False, False), (1e-9, True, True), (1e-3, True, False), (0.0, True, True), (np.nan, True, False)],
)
def test_the_same_platform_gives_the_same_bits_and_another_is_allowed_a_tolerance(
    fitlab: Fitlab, tiny: dict, tmp_path: Path, amount: float, elsewhere: bool, equal: bool
) -> None:
    fit = fits_of({}, tiny, tmp_path)[0]
    made = replace(fit.provenance, cpu="another CPU") if elsewhere else fit.provenance
    Store.at(tmp_path).fit_path(fit.job.digest).write_bytes(write_fit(changed(fit, amount).stamped(made)))
    code, out, err = fitlab("rerun", fit.job.digest, "--verify", "--store", tmp_path, "--json")
    said = json.loads(out)
    assert (code, err, said["equal"]) == (0 if equal else 1, "", equal)
    assert said["same_platform"] is not elsewhere
    assert ("cpu" in said["environment"]) is elsewhere
    assert [one["name"] for one in said["arrays"]] == (["weights/output/weight"] if amount else [])
    text = fitlab("rerun", fit.job.digest[:12], "--verify", "--store", tmp_path)[1]
    assert ("not equal" in text) is not equal
    assert "another CPU" in text or not elsewhere
    assert fitlab("rerun", fit.job.digest[:12], "--store", tmp_path)[0] == 0, "without --verify it is only shown"
    if amount == 1e-3:
        assert fitlab("rerun", fit.job.digest, "--verify", "--tolerance", 0.1, "--store", tmp_path)[0] == 0


def test_curves_say_from_which_epoch_on_they_differ(tiny: dict, tmp_path: Path) -> None:
    fit = fits_of({}, tiny, tmp_path)[0]
    values = {**fit.curves.values, "loss/val": np.array(fit.curves["loss/val"])}
    values["loss/val"][4:] += 1e-5
    odd = replace(fit, curves=replace(fit.curves, values=values))
    Store.at(tmp_path).fit_path(fit.job.digest).write_bytes(write_fit(odd))
    (one,) = rerun(Store.at(tmp_path), fit.job.digest).arrays
    assert (one.name, one.epoch, one.largest) == ("curves/loss/val", 4, pytest.approx(1e-5))


def test_a_digest_that_is_none_or_several_is_a_wrong_request(fitlab: Fitlab, tiny: dict, tmp_path: Path) -> None:
    fits = fits_of({}, tiny, tmp_path)
    place = Store.at(tmp_path)
    twin = fits[0].job.digest[:40] + "0" * 24
    place.fit_path(twin).write_bytes(b"")
    assert find(place, fits[0].job.digest[:41]) == fits[0].job.digest
    for beginning in ("0000", "f", "../fits/" + fits[1].job.digest, "*", twin[:40], ""):
        code, out, err = fitlab("rerun", beginning, "--store", tmp_path)
        assert (code, out) == (2, ""), beginning
        assert "digest" in err
    code, _, err = fitlab("rerun", twin, "--store", tmp_path)
    assert (code, "damaged" in err) == (3, True)


def test_data_that_are_not_at_hand_or_have_changed_are_a_wrong_request(fitlab: Fitlab, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(60, 3)), rng.normal(size=60)
    spec = {"name": "a", "data": {"kind": "arrays"}, "model": {"kind": "mlp"}, "seeds": 1}
    spec["training"] = {"epochs": 2, "batch_size": 8}
    fit = run(spec, data=(X, y), store=tmp_path, jobs=1, publish=False).fits[0]
    assert fitlab("rerun", fit.job.digest, "--store", tmp_path)[0] == 2
    assert rerun(Store.at(tmp_path), fit.job.digest, (X, y)).identical
    with pytest.raises(SpecError, match="not the data of the job"):
        rerun(Store.at(tmp_path), fit.job.digest, (X + 1, y))
