"""Searches: the same whoever trains and whatever is interrupted; what Optuna is told; how they end."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import time
from collections import Counter
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import numpy as np
import optuna
import pytest
from conftest import PROVE
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import TrialState

import fitlab
from fitlab.errors import SpecError
from fitlab.records import Outcome
from fitlab.runner.execute import Result, execute, look
from fitlab.runner.fits import Progress
from fitlab.runner.plan import plan
from fitlab.runner.workers import Workers, in_process, processes, threads
from fitlab.spec import read_spec
from fitlab.store import Store
from fitlab.tracking.content import config_status

PRUNERS = {
    "median": {"type": "median", "min_epochs": 2, "n_startup_trials": 2},
    "hyperband": {"type": "hyperband", "min_epochs": 2},
}


@pytest.fixture
def search() -> dict:
    """A search of twelve Configs with a conditional key, in waves of four."""
    return {
        "name": "search",
        "data": {"kind": "iris", "label_noise": 0.1},
        "model": {"kind": "mlp", "hidden_layer_sizes": [4]},
        "training": {"epochs": 20, "batch_size": 16},
        "seeds": 2,
        "sweep": {
            "method": "tpe",
            "trials": 12,
            "early_terminate": PRUNERS["hyperband"],
            "parameters": {
                "training.solver": {"values": ["adam", "sgd"]},
                "training.momentum": {"low": 0.0, "high": 0.9, "points": 4, "when": {"training.solver": "sgd"}},
                "training.learning_rate_init": {"low": 1e-4, "high": 1e-1, "log": True},
                "model.hidden_layer_sizes": {"values": [[2], [8], [4, 4]]},
            },
        },
    }


def go(spec: dict, root: Path, workers: Workers | None = None, **options: object) -> Result:
    return execute(plan(read_spec(spec)), Store.at(root, create=True), workers or in_process(), **options)


def journal(root: Path, spec: dict) -> optuna.Study:
    storage = JournalStorage(JournalFileBackend(str(Store.at(root).journal_path(spec["name"]))))
    (summary,) = optuna.get_all_study_summaries(storage)
    return optuna.load_study(study_name=summary.study_name, storage=storage)


def history(study: optuna.Study) -> list:
    """What was asked, reported and told, in order."""
    return [(t.number, t.params, t.state, t.values, t.intermediate_values, t.constraints) for t in study.trials]


def assert_same(one: Path, other: Path, spec: dict) -> None:
    first, second = fitlab.load(spec["name"], one), fitlab.load(spec["name"], other)
    assert first.table().equals(second.table())
    assert first.curves().equals(second.curves())
    assert first.fits == second.fits
    assert history(journal(one, spec)) == history(journal(other, spec))


class Disorderly(ThreadPoolExecutor):
    """Trains in threads that dawdle, so that Fits come in any order."""

    def submit(self, fn, /, *args) -> Future:
        pause = random.Random(hash(args[0].job.digest)).random() / 50  # noqa: S311
        return super().submit(lambda: (time.sleep(pause), fn(*args))[1])


@pytest.mark.slow
@pytest.mark.parametrize("pruner", [None, "median", "hyperband"])
def test_a_search_is_the_same_in_one_process_in_several_and_in_any_order(
    search: dict, tmp_path: Path, pruner: str | None
) -> None:
    search["sweep"]["early_terminate"] = PRUNERS.get(pruner)
    result = go(search, tmp_path / "one")
    assert len(result.sweep.configs) == 12
    assert (result.progress.outcomes[Outcome.PRUNED] > 0) == (pruner is not None)
    go(search, tmp_path / "two", processes(2))
    go(search, tmp_path / "threads", threads(3))
    go(search, tmp_path / "any", Workers(lambda: Disorderly(4), 4, lambda: None))
    assert_same(tmp_path / "one", tmp_path / "two", search)
    assert_same(tmp_path / "one", tmp_path / "any", search)
    assert_same(tmp_path / "one", tmp_path / "threads", search)
    again = go(search, tmp_path / "two")
    assert again.progress.trained == 0
    assert again.sweep.fits == result.sweep.fits
    other = {**search, "sweep": {**search["sweep"], "seed": 1}}
    assert {c.digest for c in go(other, tmp_path / "one").sweep.configs} != {c.digest for c in result.sweep.configs}


@pytest.mark.parametrize("pruner", ["median", "hyperband"])
def test_an_interrupted_search_continues_and_equals_an_uninterrupted_one(
    search: dict, tmp_path: Path, pruner: str
) -> None:
    """By Ctrl-C at seeded random moments, again and again; tests/cli kills processes."""
    search["sweep"]["early_terminate"] = PRUNERS[pruner]
    go(search, tmp_path / "whole")
    rng = random.Random(0)  # noqa: S311
    for _ in range(30 if PROVE else 4):
        left = rng.randint(1, 12)

        def interrupt(_: Progress) -> None:
            nonlocal left
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGINT)

        try:
            go(search, tmp_path / "cut", on_progress=interrupt)
        except KeyboardInterrupt:
            continue
    go(search, tmp_path / "cut")
    assert_same(tmp_path / "whole", tmp_path / "cut", search)


def test_more_trials_continue_and_fewer_epochs_ask_anew(search: dict, tmp_path: Path) -> None:
    first = go(search, tmp_path)
    search["sweep"]["trials"] = 16
    more = go(search, tmp_path)
    assert more.sweep.configs[:12] == first.sweep.configs
    assert more.progress.trained == 4 * 2
    fresh = go(search, tmp_path / "fresh")
    assert fresh.sweep.fits == more.sweep.fits


@pytest.mark.slow
def test_a_longer_fit_is_read_as_its_beginning_and_a_shorter_one_is_replaced(search: dict, tmp_path: Path) -> None:
    """A search without pruning leaves whole Fits, one with it wants some of their beginnings, and the other way."""
    plain = {**search, "sweep": {**search["sweep"], "early_terminate": None}}
    pruned, whole = go(search, tmp_path / "pruned").sweep, go(plain, tmp_path / "whole").sweep
    assert Counter(fit.outcome for fit in pruned.fits)[Outcome.PRUNED] > 4
    for first, second in ((plain, search), (search, plain)):
        store = tmp_path / f"both-{first['sweep']['early_terminate'] is None}"
        go(first, store)
        assert go(second, store).sweep.fits == (pruned if second is search else whole).fits
        assert go(first, store).sweep.fits == (pruned if first is search else whole).fits
        for spec in (first, second, first):
            assert go(spec, store).progress.trained == 0, "by now the store has what both want"


def test_a_pruned_fit_says_where_and_keeps_its_weights_and_those_of_rungs(search: dict, tmp_path: Path) -> None:
    search["training"]["snapshots"] = [1]
    sweep = go(search, tmp_path).sweep
    rungs = plan(read_spec(search)).rungs
    assert rungs == (2, 6, 18)
    for fit in sweep.fits:
        assert sorted(fit.snapshots) == [1, *(rung for rung in rungs if rung <= fit.epochs)]
        assert len(fit.curves) == fit.epochs + 1
        if fit.outcome is Outcome.PRUNED:
            assert fit.epochs in rungs
            assert fit.predictions == {}
            assert all((fit.snapshots[fit.epochs][name] == array).all() for name, array in fit.weights.items())
        else:
            assert fit.epochs == 20
    ends = {config.digest: {fit.epochs for fit in sweep.of(config)} for config in sweep.configs}
    assert all(len(epochs) == 1 for epochs in ends.values()), "the seeds of a Config end together"


def test_optuna_is_told_the_means_over_seeds_at_every_rung(search: dict, tmp_path: Path) -> None:
    sweep = go(search, tmp_path).sweep
    study = journal(tmp_path, search)
    by_config = {config.digest: sweep.of(config) for config in sweep.configs}
    for trial in study.trials:
        fits = by_config[trial.user_attrs["fitlab.config"]]
        for epoch, value in trial.intermediate_values.items():
            assert value == pytest.approx(np.mean([fit.curves["loss/val"][epoch] for fit in fits]), rel=1e-12)
        pruned = fits[0].outcome is Outcome.PRUNED
        assert trial.state is (TrialState.PRUNED if pruned else TrialState.COMPLETE)
        assert pruned or trial.value == pytest.approx(np.mean([fit.final["loss/val"] for fit in fits]), rel=1e-12)


STOPPING = {"n_iter_no_change": 1, "tol": 0.01}


@pytest.mark.parametrize("pruner", ["median", "hyperband"])
def test_a_search_of_fits_that_stop_early_is_replayed_resumed_and_told_truly(
    search: dict, tmp_path: Path, pruner: str
) -> None:
    search["training"]["early_stopping"] = STOPPING
    search["sweep"]["early_terminate"] = PRUNERS[pruner]
    result = go(search, tmp_path / "whole", threads(2))
    rungs = plan(read_spec(search)).rungs
    ends = {fit.epochs for fit in result.sweep.fits if fit.outcome is Outcome.COMPLETED}
    assert ends & set(rungs), "some stop at a rung"
    assert len(ends - set(rungs)) > 2, "others between"
    again = go(search, tmp_path / "whole")
    assert (again.progress.trained, again.progress.cached) == (0, 24)
    assert again.sweep.fits == result.sweep.fits
    assert fitlab.load("search", tmp_path / "whole").fits == result.sweep.fits
    stops = iter([2, 5, 9, 10**9])
    for most in stops:  # again and again from where Ctrl-C left it
        seen = 0

        def interrupt(_: Progress, most: int = most) -> None:
            nonlocal seen
            seen += 1
            if seen == most:
                os.kill(os.getpid(), signal.SIGINT)

        with contextlib.suppress(KeyboardInterrupt):
            go(search, tmp_path / "cut", on_progress=interrupt)
    assert_same(tmp_path / "whole", tmp_path / "cut", search)
    by_config = {config.digest: result.sweep.of(config) for config in result.sweep.configs}
    mixed = [fits for fits in by_config.values() if len({fit.outcome for fit in fits}) > 1]
    assert mixed, "some were given up after a seed of theirs had stopped"
    assert {config_status(fits) for fits in mixed} == {"KILLED"}
    for trial in journal(tmp_path / "whole", search).trials:
        fits = by_config[trial.user_attrs["fitlab.config"]]
        whole = {fit.outcome for fit in fits} == {Outcome.COMPLETED}
        assert trial.state is (TrialState.COMPLETE if whole else TrialState.PRUNED)
        assert not whole or trial.value == pytest.approx(np.mean([fit.final["loss/val"] for fit in fits]), rel=1e-12)


@pytest.mark.slow
def test_a_search_and_a_survey_read_the_same_fits_that_stopped_early(search: dict, tmp_path: Path) -> None:
    search["training"]["early_stopping"] = STOPPING
    plain = {**search, "sweep": {**search["sweep"], "early_terminate": None}}
    alone = [go(spec, tmp_path / str(i)).sweep for i, spec in enumerate((search, plain))]
    for spec in (plain, search, plain, search):
        found = go(spec, tmp_path / "both")
        assert found.sweep.fits == alone[spec is plain].fits
    assert found.progress.trained == 0


def test_an_exhausted_space_ends_and_repeats_are_told_what_is_known(search: dict, tmp_path: Path) -> None:
    search["sweep"] |= {"trials": 50, "early_terminate": None}
    search["sweep"]["parameters"] = {"model.hidden_layer_sizes": {"values": [[2], [3], [4]]}}
    result = go(search, tmp_path)
    assert sorted(c.swept["model.hidden_layer_sizes"] for c in result.sweep.configs) == [[2], [3], [4]]
    told: dict = {}
    for trial in journal(tmp_path, search).trials:
        told.setdefault(trial.user_attrs["fitlab.config"], set()).add((trial.state, trial.value))
    assert all(len(values) == 1 for values in told.values())
    assert look(plan(read_spec(search)), Store.at(tmp_path)).missing == ()


def test_a_config_that_breaks_a_constraint_is_told_and_not_counted(search: dict, tmp_path: Path) -> None:
    search["sweep"]["constraints"] = [{"n_parameters": {"max": 60}}]
    result = go(search, tmp_path)
    assert len(result.sweep.configs) == 12
    assert all(fit.sizes["n_parameters"] <= 60 for fit in result.sweep.fits)
    broken = [trial for trial in journal(tmp_path, search).trials if trial.constraints]
    assert len(result.infeasible) > 0
    assert all(trial.state is TrialState.PRUNED and trial.constraints == {"n_parameters": 7.0} for trial in broken)


@pytest.mark.parametrize("seed", range(10) if PROVE else [0, 1])
def test_diverging_rates_are_told_as_bad_values_and_left_behind(search: dict, tmp_path: Path, seed: int) -> None:
    """FAIL would teach TPE nothing; a value at least as bad as the constant predictor's does."""
    search["model"]["activation"] = "identity"
    search["training"] |= {"solver": "sgd", "epochs": 9}
    swept = {"training.learning_rate_init": {"low": 1e-3, "high": 1e3, "log": True}}
    search["sweep"] |= {"parameters": swept, "trials": 40, "early_terminate": PRUNERS["median"], "seed": seed}
    search["seeds"] = 1
    fits = go(search, tmp_path).sweep.fits
    bad = [fit.outcome is Outcome.DIVERGED or fit.final["loss/val"] > fit.null["loss/val"] for fit in fits]
    assert sum(bad[-20:]) < 10, "most of the later ones are in the good region"


def test_a_diverged_config_is_told_as_the_worst_value_seen(search: dict, tmp_path: Path) -> None:
    search["model"]["activation"] = "identity"
    search["training"] |= {"solver": "sgd", "epochs": 4}
    swept = {"training.learning_rate_init": {"values": [0.01, 0.1, 30.0, 1e200, 1e250]}}
    search["sweep"] |= {"parameters": swept, "trials": 5, "early_terminate": None, "wave": 1}
    fits = {fit.job.config.digest: fit for fit in go(search, tmp_path).sweep.fits}
    told = journal(tmp_path, search).trials
    outcomes = [fits[trial.user_attrs["fitlab.config"]].outcome for trial in told]
    assert Counter(outcomes)[Outcome.DIVERGED] >= 2
    assert {trial.state for trial in told} == {TrialState.COMPLETE}
    for i, trial in enumerate(told):
        if outcomes[i] is Outcome.DIVERGED:
            seen = [t.value for t, outcome in zip(told[:i], outcomes, strict=False) if outcome is Outcome.COMPLETED]
            null = [
                fit.null["loss/val"]
                for fit in fits.values()
                if fit.job.config.digest == trial.user_attrs["fitlab.config"]
            ]
            assert trial.value >= max([*seen, min(null)])


def test_several_objectives_give_the_pareto_set(search: dict, tmp_path: Path) -> None:
    search["sweep"] |= {"objective": ["loss/val", "n_parameters"], "early_terminate": None}
    sweep = go(search, tmp_path).sweep
    study = journal(tmp_path, search)
    assert {t.user_attrs["fitlab.config"] for t in study.best_trials} == {c.digest for c in sweep.best()}
    assert len(sweep.best()) > 1


@pytest.mark.parametrize("epoch", ["last", "best"])
def test_the_best_config_follows_the_epoch_rule(search: dict, tmp_path: Path, epoch: str) -> None:
    search["sweep"] |= {"objective": {"metric": "accuracy/val", "epoch": epoch}, "early_terminate": None}
    sweep = go(search, tmp_path).sweep
    (best,) = sweep.best()
    means = {c.digest: np.mean([f.curves["accuracy/val"] for f in sweep.of(c)], axis=0) for c in sweep.configs}
    values = {digest: curve.max() if epoch == "best" else curve[-1] for digest, curve in means.items()}
    assert values[best.digest] == max(values.values()) == pytest.approx(journal(tmp_path, search).best_value)


def test_a_failed_fit_ends_its_config_with_fail_and_the_search_goes_on(
    search: dict, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from fitlab.trainers import mlp

    real = mlp.advance

    def raising(state: mlp.State, *rest: object) -> mlp.State:
        training = state.job.config.sections.training
        if training.solver == "adam" and training.batch_size == 16:
            raise RuntimeError("out of luck")
        return real(state, *rest)

    monkeypatch.setattr(mlp, "advance", raising)
    result = go(search, tmp_path)
    states = Counter(trial.state for trial in journal(tmp_path, search).trials)
    failed = [fit for fit in result.sweep.fits if fit.outcome is Outcome.FAILED]
    assert states[TrialState.FAIL] == len(failed) / 2 > 0
    assert go(search, tmp_path).progress.trained == 0


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"objective": "r2/val"}, ["sweep.objective", "a classification does not record it", "r2/val"]),
        ({"constraints": [{"n_parameters": {"max": 1}}]}, ["nothing satisfies the constraints", "that were tried"]),
        ({"early_terminate": {"type": "median", "min_epochs": 20}}, ["min_epochs", "no rung before the last epoch"]),
        (
            {"parameters": {"training.epochs": {"low": 5, "high": 50}}},
            ["sweep.early_terminate", "epochs that all of them have", "from 5 to 50"],
        ),
        (
            {"parameters": {"training.batch_size": {"low": 8, "high": 80}}},
            ["1 problem", "training.batch_size", "a minibatch larger than the data"],
        ),
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_is_trained(search: dict, change: dict, says: list) -> None:
    search["sweep"] |= change
    with pytest.raises(SpecError) as caught:
        plan(read_spec(search))
    for words in says:
        assert words in str(caught.value)


def test_a_fit_that_fails_late_is_replayed_as_it_was(
    search: dict, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was measured before it failed is kept, so that Optuna is asked and told the same again."""
    from fitlab.trainers import mlp

    real = mlp.advance

    def failing(state: mlp.State, split: object, to_epoch: int, stop: object) -> mlp.State:
        if to_epoch > 6 and state.job.config.swept["training.solver"] == "sgd":
            raise RuntimeError("late")
        return real(state, split, to_epoch, stop)

    monkeypatch.setattr(mlp, "advance", failing)
    first = go(search, tmp_path)
    failed = [fit for fit in first.sweep.fits if fit.outcome is Outcome.FAILED]
    assert {fit.epochs for fit in failed} == {7}
    assert all(len(fit.curves) == 7 for fit in failed)
    told = history(journal(tmp_path, search))
    again = go(search, tmp_path)
    assert (again.progress.trained, again.sweep.fits) == (0, first.sweep.fits)
    assert history(journal(tmp_path, search)) == told


def test_a_finished_search_stays_finished_whatever_else_the_store_is_used_for(search: dict, tmp_path: Path) -> None:
    rungs = {"median": {"type": "median", "min_epochs": 3, "n_startup_trials": 1}, "none": None}
    others = [
        {**search, "name": name, "sweep": {**search["sweep"], "early_terminate": rule}} for name, rule in rungs.items()
    ]
    sweeps = {spec["name"]: go(spec, tmp_path).sweep for spec in (search, *others)}
    for spec in (search, *others, search):
        again = go(spec, tmp_path)
        assert (again.progress.trained, again.sweep.fits) == (0, sweeps[spec["name"]].fits)
        assert fitlab.load(spec["name"], tmp_path).fits == again.sweep.fits
    for sweep in sweeps.values():
        assert all(fit.arrays.keys() == fit.sums.keys() for fit in sweep.fits), "each reads its own, and checks them"


def test_what_another_search_gave_up_is_not_there_for_a_survey(search: dict, tmp_path: Path) -> None:
    swept = {"model.hidden_layer_sizes": {"values": [[1], [2], [4], [8]]}}
    search["sweep"] |= {"parameters": swept, "trials": 4}
    assert go(search, tmp_path).progress.outcomes[Outcome.PRUNED] > 0
    survey = {**search, "name": "survey", "sweep": {"method": "grid", "parameters": swept}}
    Store.at(tmp_path).write_sweep(read_spec(survey), list(plan(read_spec(survey)).planned))  # and then it was killed
    assert {fit.outcome for fit in fitlab.load("survey", tmp_path).fits} == {Outcome.COMPLETED}


def test_two_sweeps_in_one_store_never_shorten_what_the_other_stored(search: dict, tmp_path: Path) -> None:
    plain = {**search, "sweep": {**search["sweep"], "early_terminate": None}}
    long, short = go(plain, tmp_path / "a").sweep.fits, go(search, tmp_path / "b").sweep.fits
    pruned = next(fit for fit in short if fit.outcome is Outcome.PRUNED and fit.job in {one.job for one in long})
    whole = next(fit for fit in long if fit.job == pruned.job)
    store = Store.at(tmp_path / "c", create=True)
    for first, second in ((whole, pruned), (pruned, whole)):
        store.write(first)
        store.write(second)
        there = store.read(whole.job.digest)
        assert (there.outcome, there.epochs) == (Outcome.COMPLETED, 20)
        assert sorted(there.snapshots) == sorted(pruned.snapshots)
        store.fit_path(whole.job.digest).unlink()


@pytest.mark.slow
def test_staged_estimators_are_not_trained_again(tmp_path: Path) -> None:
    spec = {
        "name": "staged",
        "data": {"kind": "iris", "label_noise": 0.3},
        "model": {"kind": "estimator", "estimator": "sklearn.ensemble.AdaBoostClassifier"},
        "seeds": 2,
        "sweep": {
            "method": "tpe",
            "trials": 8,
            "early_terminate": PRUNERS["hyperband"],
            "parameters": {"model.parameters.learning_rate": {"low": 1e-3, "high": 10.0, "log": True}},
        },
    }
    first = go(spec, tmp_path)
    assert first.progress.outcomes[Outcome.PRUNED] > 0
    again = go(spec, tmp_path)
    assert (again.progress.trained, again.sweep.fits) == (0, first.sweep.fits)


def test_lengths_that_differ_at_any_point_of_a_small_space_are_refused(search: dict) -> None:
    swept = {"training.epochs": {"values": [8, 4]}, "training.batch_size": {"low": 1, "high": 60}}
    search["sweep"]["parameters"] = swept
    with pytest.raises(SpecError, match="from 4 to 8"):
        plan(read_spec(search))


def test_an_endless_space_gives_all_trials(search: dict, tmp_path: Path) -> None:
    """Most of its points are few; what is endless lies behind a condition."""
    momentum = {"low": 0.1, "high": 0.9, "when": {"training.solver": "sgd"}}
    swept = {"training.solver": {"values": ["adam", "sgd"]}, "training.momentum": momentum}
    for method, more in (("random", {}), ("tpe", {"early_terminate": None})):
        sweep = {"method": method, "trials": 30, "parameters": swept, **more}
        spec = {**search, "seeds": 1, "training": {"epochs": 2, "batch_size": 16}, "sweep": sweep}
        assert len(go({**spec, "name": method}, tmp_path).sweep.configs) == 30


def test_the_record_of_a_finished_search_is_not_shortened_by_a_rerun(search: dict, tmp_path: Path) -> None:
    go(search, tmp_path)
    record = Store.at(tmp_path).sweep_path("search").read_bytes()

    def look_at(_: Progress) -> None:
        assert Store.at(tmp_path).sweep_path("search").read_bytes() == record

    go(search, tmp_path, on_progress=look_at)
