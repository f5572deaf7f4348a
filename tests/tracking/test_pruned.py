"""What a search gave up, read back from MLflow: its status, how far it came, and what it weighs."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from safetensors.numpy import load_file
from tracking.test_publish import Mlflow, run

import fitlab
from fitlab.records import Outcome
from fitlab.tracking import content


@pytest.fixture
def search(tiny: dict) -> dict:
    tiny["training"]["epochs"] = 12
    tiny["sweep"] = {
        "method": "tpe",
        "trials": 8,
        "early_terminate": {"type": "hyperband", "min_epochs": 2},
        "parameters": {"training.learning_rate_init": {"low": 1e-4, "high": 1e-1, "log": True}},
    }
    return tiny


@pytest.mark.slow
def test_pruned_is_killed_and_ends_at_its_rung(search: dict, store: Path, tmp_path: Path) -> None:
    sweep = run(search, store)
    mlflow = Mlflow(store)
    by_digest = {fit.job.digest: fit for fit in sweep.fits}
    pruned = [fit for fit in sweep.fits if fit.outcome is Outcome.PRUNED]
    assert 0 < len(pruned) < len(sweep.fits)
    statuses = Counter(one.info.status for one in mlflow.runs("fit"))
    assert statuses == {"KILLED": len(pruned), "FINISHED": len(sweep.fits) - len(pruned)}
    for one in mlflow.runs("fit"):
        fit = by_digest[one.data.tags["fitlab.digest"]]
        assert one.data.tags["fitlab.outcome"] == str(fit.outcome)
        assert [p.step for p in mlflow.points(one)["loss/val"]] == list(range(fit.epochs + 1))
        arrays = load_file(mlflow.client.download_artifacts(one.info.run_id, "fit.safetensors", str(tmp_path)))
        assert len(arrays["curves/epoch"]) == fit.epochs + 1
    for one in mlflow.runs("config"):
        fits = [by_digest[nested.data.tags["fitlab.digest"]] for nested in mlflow.nested(one)]
        given_up = fits[0].outcome is Outcome.PRUNED
        assert one.info.status == ("KILLED" if given_up else "FINISHED")
        assert ("final/loss/val" in one.data.metrics) == (not given_up)
        assert len(mlflow.points(one)["loss/val"]) == fits[0].epochs + 1
        assert (f"Given up at epoch {fits[0].epochs}" in one.data.tags["mlflow.note.content"]) == given_up


@pytest.mark.slow
def test_what_is_published_is_what_the_sweep_reads_however_long_the_stored_fit_is(search: dict, store: Path) -> None:
    run(search, store)
    mlflow = Mlflow(store)
    before = len(mlflow.runs("fit")), mlflow.rows()
    whole = {**search, "name": "whole", "sweep": {**search["sweep"], "early_terminate": None}}
    run(whole, store)  # some of the same jobs, trained to their end
    assert fitlab.publish("tiny", store).created == 0
    assert (len(mlflow.runs("fit")), mlflow.rows()) == before


def test_names_give_drawn_numbers_with_four_digits(search: dict, store: Path) -> None:
    sweep = run(search, store)
    for config in sweep.configs:
        rate = config.swept["training.learning_rate_init"]
        assert float(content.config_name(config)) == pytest.approx(rate, rel=1e-3)
        assert content.params(config)["training.learning_rate_init"] == str(rate)
