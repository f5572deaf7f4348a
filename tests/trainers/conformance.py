"""What every trainer keeps, shipped as a class: give it a spec and it is tested (STYLE: a suite per plug point)."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest

from fitlab import data, space, trainers
from fitlab.records import Fit, Job, Outcome, Split
from fitlab.spec import read_spec

ALL = ("split", "init", "order")


def never() -> bool:
    return False


def job_and_split(spec: dict[str, Any], seed: int = 0, vary: tuple[str, ...] = ALL) -> tuple[Job, Split]:
    """Return the job of a spec without a sweep, and its arrays."""
    document = read_spec(spec)
    (config,) = space.configs(document)
    dataset = data.load(document.spec.data)
    job = Job(config, seed, vary, dataset.fingerprint, trainers.version(config.sections))
    return job, data.split(dataset, config.sections.data, job.stream("split"))


def fit(spec: dict[str, Any], seed: int = 0, to_epoch: int | None = None, vary: tuple[str, ...] = ALL) -> Fit:
    """Train one job in one go."""
    job, split = job_and_split(spec, seed, vary)
    end = job.config.sections.training.epochs if to_epoch is None else to_epoch
    return trainers.finish(trainers.advance(trainers.start(job, split), split, end, never), split)


class TrainerConformance:
    """Subclass it with a fixture ``spec``: the dict of a spec of one Config with at least 6 epochs."""

    @pytest.fixture
    def spec(self) -> dict[str, Any]:
        raise NotImplementedError

    def test_the_same_job_gives_the_same_fit_and_another_seed_another(self, spec: dict[str, Any]) -> None:
        assert fit(spec) == fit(spec)
        assert fit(spec, seed=1) != fit(spec)

    @pytest.mark.parametrize("chunks", [(1, 2, 3), (5,), (0, 4, 4)])
    def test_advancing_in_chunks_and_pickling_midway_changes_no_bit(
        self, spec: dict[str, Any], chunks: tuple[int, ...]
    ) -> None:
        job, split = job_and_split(spec)
        state = trainers.start(job, split)
        for to_epoch in (*chunks, job.config.sections.training.epochs):
            state = pickle.loads(pickle.dumps(trainers.advance(state, split, to_epoch, never)))  # noqa: S301 (our own)
        assert trainers.finish(state, split) == fit(spec)

    def test_functions_change_no_argument(self, spec: dict[str, Any]) -> None:
        job, split = job_and_split(spec)
        first = trainers.advance(trainers.start(job, split), split, 2, never)
        before = trainers.finish(first, split)
        trainers.advance(first, split, 5, never)
        assert trainers.finish(first, split) == before
        assert trainers.advance(first, split, 5, never).epoch == trainers.advance(first, split, 5, never).epoch == 5

    def test_stop_ends_it_at_an_epoch_and_leaves_others_alone(self, spec: dict[str, Any]) -> None:
        job, split = job_and_split(spec)
        asked = iter([False, False, True])
        stopped = trainers.finish(trainers.advance(trainers.start(job, split), split, 6, lambda: next(asked)), split)
        assert (stopped.outcome, stopped.epochs) == (Outcome.INTERRUPTED, 2)
        whole = fit(spec)
        for name, curve in stopped.curves.values.items():
            assert (curve == whole.curves[name][:3]).all()

    def test_curves_hold_epoch_zero_and_every_epoch_of_both_parts(self, spec: dict[str, Any]) -> None:
        whole = fit(spec)
        assert whole.outcome is Outcome.COMPLETED
        assert whole.curves.epoch.tolist() == list(range(whole.epochs + 1))
        assert {name.split("/")[1] for name in whole.curves.values} == {"train", "val"}
        assert {"loss/train", "loss/val"} <= set(whole.curves.values)
        assert all(len(curve) == whole.epochs + 1 for curve in whole.curves.values.values())

    def test_shapes_and_counts(self, spec: dict[str, Any]) -> None:
        whole = fit(spec)
        _, split = job_and_split(spec)
        sections = whole.job.config.sections
        assert sum(array.size for array in whole.weights.values()) == trainers.n_parameters(sections, split.sizes)
        assert whole.sizes["n_parameters"] == trainers.n_parameters(sections, split.sizes)
        assert len(whole.predictions["val"]) == len(split.y_val)
        assert len(whole.predictions["test"]) == len(split.y_test)

    def test_snapshots_are_the_weights_after_these_epochs(self, spec: dict[str, Any]) -> None:
        spec = {**spec, "training": {**spec["training"], "snapshots": [0, 2, 6]}}
        whole = fit(spec)
        assert list(whole.snapshots) == [0, 2, 6]
        for epoch in (0, 2, 6):
            there = fit(spec, to_epoch=epoch).weights
            assert all((there[name] == array).all() for name, array in whole.snapshots[epoch].items())

    def test_it_memorises_eight_points(self, spec: dict[str, Any]) -> None:
        training = {**spec["training"], "epochs": 400, "batch_size": 8, "alpha": 0.0, "learning_rate_init": 0.01}
        model = {**spec["model"], "hidden_layer_sizes": [64]}
        data_section = {**spec["data"], "train_size": 8, "validation": 20, "test": 20}
        whole = fit({**spec, "data": data_section, "model": model, "training": training})
        assert whole.final["loss/train"] < 0.05 * whole.null["loss/train"]

    def test_what_a_seed_changes_is_what_vary_says(self, spec: dict[str, Any]) -> None:
        first = {vary: fit(spec, 0, 0, (vary,)).weights for vary in ALL}
        second = {vary: fit(spec, 1, 0, (vary,)).weights for vary in ALL}
        name = next(iter(first["init"]))
        changed = {vary: bool((first[vary][name] != second[vary][name]).any()) for vary in ALL}
        assert changed == {"split": False, "init": True, "order": False}
        rows = {vary: [job_and_split(spec, seed, (vary,))[1].rows["train"].tolist() for seed in (0, 1)] for vary in ALL}
        assert {vary: a != b for vary, (a, b) in rows.items()} == {"split": True, "init": False, "order": False}
        assert fit(spec, 0, vary=("order",)) != fit(spec, 1, vary=("order",))

    def test_divergence_is_an_outcome_with_its_epoch(self, spec: dict[str, Any]) -> None:
        wild = {**spec, "training": {"solver": "sgd", "learning_rate_init": 1e200, "epochs": 6, "batch_size": 8}}
        diverged = fit({**wild, "model": {**spec["model"], "activation": "identity"}})
        assert diverged.outcome is Outcome.DIVERGED
        assert f"non-finite in epoch {diverged.epochs}" in diverged.cause
        assert all(np.isfinite(curve).all() for name, curve in diverged.curves.values.items() if "loss" in name)
