"""Each check of a sweep: found where it is, clear where it is not, not applicable where it cannot be asked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from conftest import PROVE
from diagnosis.frames import (
    EPOCHS,
    GOOD,
    NULL,
    OVERFIT,
    SHAPES,
    SIZES,
    UNDERFIT,
    check,
    falling,
    frame,
    named,
    recorded,
)

from fitlab import run, space
from fitlab.diagnosis import TestLosses, chosen, diagnose
from fitlab.diagnosis.rerun import with_seeds
from fitlab.records import Config, Curves, Fit, Job, Outcome, Provenance
from fitlab.spec import read_spec
from fitlab.spec.sweeps import VARY
from fitlab.sweep import Sweep
from fitlab.verdicts import Label, Severity, State, Verdicts

CODES = [f"SWP{number:03}" for number in range(1, 13)]


def test_every_check_is_there_once_in_order_and_speaks() -> None:
    for sweep in (recorded(SHAPES), recorded({"only": GOOD}, seeds=1), recorded(SHAPES, capacity=SIZES)):
        found = diagnose(sweep).checks
        assert [one.code for one in found] == CODES
        assert all(one.said and one.advice for one in found if one.state is State.FOUND)
        assert all(one.said for one in found if one.state is State.NOT_APPLICABLE)


def ran(tiny: dict, tmp_path, parameters: dict, **more: object) -> Verdicts:
    return run({**tiny, **more, "sweep": {"parameters": parameters}}, store=tmp_path, jobs=1, publish=False).verdicts


def test_an_optimum_on_the_border_is_said(tiny: dict, tmp_path) -> None:
    slow = {"training.learning_rate_init": {"values": [1e-4, 1e-3, 0.02]}}
    found = check(ran(tiny, tmp_path, slow, seeds=3), "SWP001")
    assert (found.state, found.severity) == (State.FOUND, Severity.WARNING)
    assert "the largest learning_rate_init that was tried, 0.02" in found.said
    assert "a larger learning_rate_init" in found.advice
    inside = {"training.learning_rate_init": {"values": [1e-5, 1e-2, 100.0]}}
    assert check(ran(tiny, tmp_path, inside, seeds=3), "SWP001").state is State.CLEAR
    words = {"model.activation": {"values": ["relu", "tanh"]}}
    assert check(ran(tiny, tmp_path, words), "SWP001").state is State.NOT_APPLICABLE


def test_the_border_of_a_logarithmic_range_is_near_its_end_on_the_logarithm(tiny: dict, tmp_path) -> None:
    key = "training.learning_rate_init"
    sweep = {"method": "random", "trials": 12, "parameters": {key: {"low": 1e-6, "high": 0.02, "log": True}}}
    verdicts = run({**tiny, "sweep": sweep, "seeds": 2}, store=tmp_path, jobs=1, publish=False).verdicts
    assert check(verdicts, "SWP001").state is State.FOUND


def test_a_value_that_was_pruned_was_tried_all_the_same(tiny: dict, tmp_path) -> None:
    rates = {"training.learning_rate_init": {"values": [1e-4, 1e-3, 0.02, 100.0]}}
    sweep = run({**tiny, "sweep": {"parameters": rates}}, store=tmp_path, jobs=1, publish=False)
    last = sweep.configs[-1]
    without = replace(sweep, configs=sweep.configs[:-1], fits=tuple(f for f in sweep.fits if f.job.config != last))
    assert check(diagnose(without), "SWP001").state is State.FOUND
    pruned = tuple(replace(f, outcome=Outcome.PRUNED) if f.job.config == last else f for f in sweep.fits)
    assert check(diagnose(replace(sweep, fits=pruned)), "SWP001").state is State.CLEAR


def lost(document: dict, loss: Callable[[Config], float], parameters: Callable[[Config], int] = lambda _: 1) -> Sweep:
    """Return a sweep whose Configs have these validation losses under 5 seeds; the constant predictor's is 2."""
    read = read_spec(document)
    configs = tuple(space.configs(read))
    luck = 0.01 * np.random.default_rng(0).standard_normal((len(configs), 5))
    fits = []
    for config, shifts in zip(configs, luck, strict=True):
        for seed, shift in zip(read.spec.seeds.values, shifts, strict=True):
            curves = Curves(
                np.array([1]), {"loss/train": np.array([0.5]), "loss/val": np.array([loss(config) + shift])}
            )
            null, sizes = {"loss/train": 2.0, "loss/val": 2.0}, {"n_parameters": parameters(config)}
            job = Job(config, seed, VARY, "", "t/1")
            fits.append(Fit(job, Outcome.COMPLETED, 1, curves, loss="log_loss", null=null, sizes=sizes))
    return Sweep(read.spec, configs, tuple(fits))


def estimated(estimator: str, key: str, domain: dict) -> dict:
    model = {"kind": "estimator", "estimator": estimator}
    key = f"model.parameters.{key}"
    return {"name": "t", "data": {"kind": "iris"}, "model": model, "seeds": 5, "sweep": {"parameters": {key: domain}}}


def test_sizes_are_ordered_by_themselves_beside_another_key_that_changes_the_parameters(tiny: dict) -> None:
    keys = {"model.hidden_layer_sizes": {"values": [[4], [8]]}, "model.biases": {"values": [False, True]}}
    sweep = lost(
        {**tiny, "seeds": 5, "sweep": {"parameters": keys}},
        lambda c: 1.5 - 0.1 * c.sections.model.hidden_layer_sizes[0] + 0.1 * c.sections.model.biases,
        lambda c: 10 * c.sections.model.hidden_layer_sizes[0] + c.sections.model.biases,
    )
    found = check(diagnose(sweep), "SWP001")
    assert "the largest hidden_layer_sizes that was tried, [8]; with [4] the loss is higher" in found.said
    assert found.advice == "Try a larger hidden_layer_sizes: only the new points are trained."


@pytest.mark.parametrize(("best", "end"), [(4, "smallest"), (12, None), (None, None)])
def test_no_limit_lies_beyond_every_number(best: int | None, end: str | None) -> None:
    document = estimated("sklearn.tree.DecisionTreeClassifier", "max_depth", {"values": [4, 12, None]})
    sweep = lost(document, lambda c: 1.0 if c.swept["model.parameters.max_depth"] == best else 1.5)
    found = check(diagnose(sweep), "SWP001")
    assert found.state is (State.CLEAR if end is None else State.FOUND)
    assert end is None or f"the {end} max_depth that was tried, 4" in found.said


@pytest.mark.parametrize(("best", "state"), [(3, State.CLEAR), (120, State.FOUND)])
def test_near_the_end_of_a_range_counts_only_where_nothing_lies_beyond(best: int, state: State) -> None:
    document = estimated("sklearn.neighbors.KNeighborsClassifier", "n_neighbors", {"low": 1, "high": 120})
    sweep = lost(document, lambda c: 1 + abs(c.swept["model.parameters.n_neighbors"] - best) / 120)
    assert check(diagnose(sweep), "SWP001").state is state


def test_the_border_of_a_recorded_capacity() -> None:
    found = check(diagnose(recorded(ends([1.8, 1.5, 1.0]), capacity={"p0": 1.0, "p1": 2.0, "p2": 3.0})), "SWP001")
    assert (found.state, found.advice) == (State.FOUND, "Try a larger capacity.")
    assert "the largest capacity that was tried, 3; with 2" in found.said


def test_only_what_falls_by_the_margin_is_advised_and_only_where_something_is_learned(tiny: dict) -> None:
    keys = {
        "data.label_noise": {"values": [0.0, 0.2, 1.0]},
        "training.alpha": {"values": [1e-4, 1e-3]},
        "training.learning_rate_init": {"values": [1e-3, 1e-2]},
    }

    def loss(config: Config) -> float:
        if config.swept["data.label_noise"] == 1.0:
            return 2.1 + config.swept["training.alpha"]
        falls = 30 if config.swept["data.label_noise"] else -30
        return 1.2 + falls * config.swept["training.learning_rate_init"] + 5 * config.swept["training.alpha"]

    found = check(diagnose(lost({**tiny, "seeds": 5, "sweep": {"parameters": keys}}, loss)), "SWP001")
    assert found.advice == (
        "Try a larger learning_rate_init for label_noise 0; a smaller learning_rate_init for label_noise 0.2: only the "
        "new points are trained."
    )
    assert "label_noise 1" not in found.said
    flat = diagnose(recorded(ends([1.0, 1.01]), capacity={"p0": 1.0, "p1": 2.0}))
    assert check(flat, "SWP001").advice.startswith("The loss no longer falls there")
    noise = check(diagnose(recorded(ends([2.0, 2.01]), capacity={"p0": 1.0, "p1": 2.0})), "SWP001")
    assert (noise.state, noise.said) == (
        State.NOT_APPLICABLE,
        "nothing is better than the constant predictor by the margin",
    )


def test_pure_noise_says_everywhere_that_nothing_beats_the_constant_predictor() -> None:
    rng = np.random.default_rng(1)
    curves = {f"c{i}": (falling(1.9), falling(2.0 + 0.01 * rng.standard_normal())) for i in range(6)}
    verdicts = diagnose(recorded(curves))
    found = check(verdicts, "SWP002")
    assert (found.state, found.severity) == (State.FOUND, Severity.PROBLEM)
    assert all("nothing beats the constant predictor" in one.note for one in verdicts.by_config.values())
    good = diagnose(recorded(SHAPES))
    assert check(good, "SWP002").state is State.CLEAR
    assert not any("nothing beats" in one.note for one in good.by_config.values())


def test_the_best_of_many_that_learned_nothing_does_not_beat_the_constant_by_luck() -> None:
    """Forty Configs of noise: uncorrected, some of them is almost always lower for certain and by more than δ."""
    said, sweeps = 0, 40 if PROVE else 10
    for draw in range(sweeps):
        rng = np.random.default_rng(draw)
        rows = frame(ends([2.0] * 40), seeds=5, noise=0.0)
        rows["value"] += np.where(rows["split"] == "val", 0.3 * rng.standard_normal(len(rows)), 0.0)
        verdicts = diagnose(Sweep.from_frame(rows, constant=NULL))
        said += check(verdicts, "SWP002").state is State.CLEAR
    assert said <= 0.2 * sweeps


def test_with_one_seed_it_is_not_known_whether_anything_beats_the_constant() -> None:
    verdicts = diagnose(recorded(SHAPES, seeds=1))
    assert check(verdicts, "SWP002").state is State.NOT_APPLICABLE
    assert "one value a Config" in check(verdicts, "SWP002").said
    assert not any("nothing beats" in one.note for one in verdicts.by_config.values())


def test_losses_too_large_to_square_beat_the_constant_predictor_all_the_same() -> None:
    unit = 1e300
    rows = frame(SHAPES)
    rows["value"] *= unit
    sweep = Sweep.from_frame(rows, constant={part: unit * loss for part, loss in NULL.items()}, loss="squared_error")
    assert check(diagnose(sweep), "SWP002").state is State.CLEAR
    assert np.isfinite(sweep.table().filter(like="loss/").to_numpy()[:-1]).all()


def ends(losses: list[float]) -> dict:
    """Configs without an epoch axis; the training loss falls with size."""
    return {f"p{i}": ([1.5 * 0.5**i], [loss]) for i, loss in enumerate(losses)}


def test_double_descent_is_a_peak_along_capacity() -> None:
    sizes = {f"p{i}": float(i) for i in range(6)}
    second = recorded(ends([1.4, 1.0, 1.6, 2.6, 1.5, 0.9]), capacity=sizes)
    found = check(diagnose(second), "SWP003")
    assert found.state is State.FOUND
    assert "from capacity 1 to 3 validation loss rises by 1.6" in found.said
    assert (
        check(diagnose(recorded(ends([1.4, 1.0, 1.1, 1.3, 1.5, 1.7]), capacity=sizes)), "SWP003").state is State.CLEAR
    )
    assert check(diagnose(recorded(ends([1.4, 1.0, 1.6]))), "SWP003").state is State.NOT_APPLICABLE
    never_learned = recorded(ends([2.4, 2.2, 2.9, 4.6, 2.5, 2.1]), capacity=sizes)
    assert check(diagnose(never_learned), "SWP003").state is State.CLEAR


def test_delayed_generalisation_is_validation_that_falls_long_after_training() -> None:
    grokking = np.where(EPOCHS < 25, 3.0, 0.1)
    found = check(diagnose(recorded({"late": (falling(0.0, rate=1.5), grokking), "other": UNDERFIT})), "SWP004")
    assert found.state is State.FOUND
    assert "late" in found.said
    assert check(diagnose(recorded(SHAPES)), "SWP004").state is State.CLEAR
    assert check(diagnose(recorded(ends([1.0, 1.1]))), "SWP004").state is State.NOT_APPLICABLE


def test_too_few_seeds_says_how_many_would_do() -> None:
    near = {"best": GOOD, "near": (falling(0.85), falling(1.2))}
    verdicts = diagnose(recorded(near, seeds=3, noise=0.1))
    found = check(verdicts, "SWP005")
    needed = [one.seeds_needed for one in verdicts.by_config.values() if one.seeds_needed and one.seeds_needed <= 20]
    assert needed
    assert f"{needed[0]} seeds would decide it" in found.said
    assert "80 % power" in found.said
    assert check(diagnose(recorded(SHAPES)), "SWP005").state is State.CLEAR
    assert check(diagnose(recorded(SHAPES, seeds=1)), "SWP005").severity is Severity.PROBLEM


def test_verdicts_hold_for_one_data_set_unless_each_seed_draws_its_own(tiny: dict, tmp_path) -> None:
    alpha = {"training.alpha": {"values": [1e-4, 1]}}
    assert check(ran(tiny, tmp_path, alpha), "SWP006").severity is Severity.NOTE
    fixed = check(ran(tiny, tmp_path, alpha, seeds={"count": 2, "vary": ["init"]}), "SWP006")
    assert fixed.severity is Severity.WARNING
    fresh = ran(tiny, tmp_path, alpha, data={"kind": "linear_teacher", "validation": 50, "test": 50})
    assert check(fresh, "SWP006").state is State.NOT_APPLICABLE


@pytest.mark.parametrize(("more", "state"), [(0.3, State.FOUND), (0.0, State.CLEAR)])
def test_optimism_is_what_the_test_part_says_more(more: float, state: State) -> None:
    sweep = recorded(SHAPES)
    best = chosen(sweep)
    val = np.array([fit.final["loss/val"] for fit in sweep.of(best)])
    assert check(diagnose(sweep, TestLosses(best.digest, val + more, 0.01)), "SWP007").state is state
    assert check(diagnose(sweep), "SWP007").state is State.NOT_APPLICABLE


def test_configs_that_are_not_assessed_are_counted_with_their_cause() -> None:
    sweep = recorded(SHAPES)
    fits = tuple(replace(f, outcome=Outcome.FAILED) if i < 2 else f for i, f in enumerate(sweep.fits))
    found = check(diagnose(replace(sweep, fits=fits)), "SWP008")
    assert (found.state, found.said) == (State.FOUND, "1 of 3 Configs: 1 because 2 of 5 Fits failed.")


def test_mixed_versions_are_said() -> None:
    sweep = recorded({"a": GOOD, "b": UNDERFIT})
    fits = [f.stamped(Provenance(0, 1.0, "h", "p", {"numpy": f"2.{i // 5}"})) for i, f in enumerate(sweep.fits)]
    found = check(diagnose(replace(sweep, fits=tuple(fits))), "SWP009")
    assert (found.state, "numpy 2.0 and 2.1" in found.said) == (State.FOUND, True)
    assert check(diagnose(replace(sweep, fits=tuple(fits[:5]))), "SWP009").state is State.CLEAR
    assert check(diagnose(sweep), "SWP009").state is State.NOT_APPLICABLE


def test_seeds_that_change_nothing_decide_nothing() -> None:
    sweep = recorded({"a": GOOD, "b": OVERFIT}, noise=0.0)
    verdicts = diagnose(sweep)
    assert check(verdicts, "SWP010").state is State.FOUND
    assert all("change nothing" in one.because for one in verdicts.by_config.values())
    assert verdicts.selection.val.n == 1
    for one in verdicts.by_config.values():
        assert (one.reasons["val"].n, np.isnan(one.reasons["val"].low)) == (1, True)
    assert check(diagnose(recorded(SHAPES)), "SWP010").state is State.CLEAR


def test_a_lone_config_and_configs_on_different_data_are_said(tiny: dict, tmp_path) -> None:
    verdicts = ran(tiny, tmp_path, {"data.label_noise": {"values": [0.0, 0.5]}})
    assert check(verdicts, "SWP011").state is State.FOUND
    assert check(verdicts, "SWP012").state is State.FOUND
    assert check(verdicts, "SWP007").state is State.NOT_APPLICABLE


SEEDS = {
    "count": (3, "-o seeds=7`: only the new seeds are trained"),
    "varied": ({"count": 3, "vary": ["split"]}, "-o seeds.count=7`: only the new seeds are trained"),
    "listed": ([10, 11, 12], "Add 4 to the list under seeds: only the new seeds are trained"),
}


@pytest.mark.parametrize(("seeds", "said"), SEEDS.values(), ids=SEEDS)
def test_more_seeds_are_advised_in_the_form_of_the_spec(tiny: dict, seeds: object, said: str) -> None:
    document = read_spec({**tiny, "seeds": seeds})
    advice = with_seeds(Sweep(document.spec, (), ()), 7)
    assert said in advice
    if "`-o " in advice:
        more = read_spec({**tiny, "seeds": seeds}, [advice.split("`")[1].removeprefix("-o ")]).spec.seeds
        assert len(more.values) == 7
        assert more.vary == document.spec.seeds.vary


def test_a_search_and_a_recorded_sweep_train_more_than_new_seeds(tiny: dict) -> None:
    search = {"method": "tpe", "trials": 4, "parameters": {"training.alpha": {"low": 0.1, "high": 1.0}}}
    for sweep in (Sweep(read_spec({**tiny, "sweep": search}).spec, (), ()), recorded(SHAPES)):
        assert "only the new" not in with_seeds(sweep, 7)
        assert "`-o" not in with_seeds(sweep, 7)


def test_what_needs_many_times_the_seeds_is_as_good_as_tied() -> None:
    near = {"best": GOOD, "near": (falling(0.85), falling(1.15))}
    sweep = recorded(near, seeds=3, noise=0.05)
    found, verdicts = check(diagnose(sweep), "SWP005"), named(sweep)
    needed = [one.seeds_needed for one in verdicts.values() if one.label is Label.INCONCLUSIVE]
    assert all(one is None or one > 20 for one in needed)
    assert "as good as tied" in found.advice
    assert not any(str(one) in found.said + found.advice for one in needed)
