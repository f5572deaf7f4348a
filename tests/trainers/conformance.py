"""What every trainer keeps, shipped as a class: give it a spec and it is tested (STYLE: a suite per plug point)."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest

from fitlab import data, space, trainers
from fitlab.records import Fit, Job, Outcome, Split
from fitlab.spec import read_spec
from fitlab.store.codec import read_fit, write_fit
from fitlab.trainers import measures

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
    end = trainers.end(job.config.sections) if to_epoch is None else to_epoch
    return trainers.finish(trainers.advance(trainers.start(job, split), split, end, never), split)


class TrainerConformance:
    """Subclass it with a fixture ``spec``: the dict of a spec of one Config."""

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
        state, end = trainers.start(job, split), trainers.end(job.config.sections)
        for to_epoch in (*(min(chunk, end) for chunk in chunks), end):
            state = pickle.loads(pickle.dumps(trainers.advance(state, split, to_epoch, never)))  # noqa: S301 (our own)
        assert trainers.finish(state, split) == fit(spec)

    def test_functions_change_no_argument(self, spec: dict[str, Any]) -> None:
        job, split = job_and_split(spec)
        first = trainers.advance(trainers.start(job, split), split, trainers.end(job.config.sections) // 2, never)
        before = trainers.finish(first, split)
        on, again = (trainers.advance(first, split, trainers.end(job.config.sections), never) for _ in range(2))
        assert trainers.finish(first, split) == before
        assert trainers.finish(on, split) == trainers.finish(again, split) == fit(spec)

    def test_every_prefix_of_the_epochs_is_the_prefix_of_the_whole(self, spec: dict[str, Any]) -> None:
        whole = fit(spec)
        for to_epoch in range(whole.epochs):
            part = fit(spec, to_epoch=to_epoch)
            reached = [epoch for epoch in whole.curves.epoch.tolist() if epoch <= to_epoch]
            assert part.outcome is Outcome.INTERRUPTED
            assert (part.curves.epoch.tolist(), part.epochs) == (reached, max(reached, default=0))
            for name, curve in part.curves.values.items():
                assert (curve == whole.curves[name][: len(reached)]).all()

    def test_stop_ends_it_at_an_epoch_and_leaves_others_alone(self, spec: dict[str, Any]) -> None:
        job, split = job_and_split(spec)
        whole, end = fit(spec), trainers.end(job.config.sections)
        measured = [epoch for epoch in whole.curves.epoch.tolist() if epoch > 0]
        for after in range(min(3, len(measured))):
            asked = iter([False] * after + [True])
            state = trainers.advance(trainers.start(job, split), split, end, lambda asked=asked: next(asked))
            stopped = trainers.finish(state, split)
            assert stopped.outcome is Outcome.INTERRUPTED
            assert stopped.epochs in [0, *measured][after:]  # it may be asked every few epochs, where they are short
            assert (stopped.epochs == 0) == (after == 0)
            assert stopped == fit(spec, to_epoch=stopped.epochs)

    def test_curves_hold_both_parts_at_ascending_epochs_up_to_the_last(self, spec: dict[str, Any]) -> None:
        whole = fit(spec)
        assert whole.outcome is Outcome.COMPLETED
        assert whole.curves.epoch.dtype == np.int64
        assert (np.diff(whole.curves.epoch) > 0).all()
        assert whole.curves.epoch[-1] == whole.epochs == trainers.end(whole.job.config.sections)
        assert {name.split("/")[1] for name in whole.curves.values} == {"train", "val"}
        assert list(whole.curves.values)[:2] == ["loss/train", "loss/val"]
        assert all(len(curve) == len(whole.curves) for curve in whole.curves.values.values())

    def test_predictions_are_of_the_last_epoch_and_the_loss_has_a_name(self, spec: dict[str, Any]) -> None:
        whole, (_, split) = fit(spec), job_and_split(spec)
        assert len(whole.predictions["test"]) == len(split.y_test)
        row = measures.measure(split.task, "val", split.y_val, whole.predictions["val"])
        assert row == pytest.approx({name: whole.final[name] for name in row}, rel=1e-9)
        assert whole.loss == trainers.loss(whole.job.config.sections, split.task)
        assert set(whole.null) == set(whole.final)

    def test_counts_and_costs(self, spec: dict[str, Any]) -> None:
        whole, (_, split) = fit(spec), job_and_split(spec)
        sections = whole.job.config.sections
        count = trainers.n_parameters(sections, split.sizes)
        assert whole.sizes.get("n_parameters") == count
        assert count is None or sum(array.size for array in whole.weights.values()) == count
        assert trainers.cost(sections) > 0
        assert list(trainers.problems(sections, frozenset({"sklearn"}))) == []
        assert list(trainers.misfits(sections, split.task, split.sizes, split.classes)) == []

    def test_the_store_gives_it_back(self, spec: dict[str, Any]) -> None:
        whole = fit(spec)
        assert read_fit(write_fit(whole), whole.job.digest) == whole


class NetworkConformance(TrainerConformance):
    """Of trainers with a training section and hidden layers: at least 6 epochs, measured from epoch 0."""

    def test_curves_hold_epoch_zero_and_every_epoch(self, spec: dict[str, Any]) -> None:
        whole = fit(spec)
        assert whole.curves.epoch.tolist() == list(range(whole.epochs + 1))

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
