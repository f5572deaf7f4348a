"""From a Sweep to its verdicts: groups, capacity, references, selection."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from diagnosis.frames import GOOD, OVERFIT, SHAPES, SIZES, UNDERFIT, check, falling, named, recorded

from fitlab import run, space
from fitlab.diagnosis import TestLosses, chosen, diagnose
from fitlab.diagnosis.gather import groups, places
from fitlab.diagnosis.words import selection_words
from fitlab.records import Fit, Job, Outcome
from fitlab.spec import read_spec
from fitlab.spec.sweeps import VARY
from fitlab.sweep import Sweep
from fitlab.verdicts import Label, State


def swept(tiny: dict, parameters: dict, **more: object) -> Sweep:
    """Return a sweep of these parameters without Fits."""
    document = read_spec({**tiny, "sweep": {"parameters": parameters}, **more})
    return Sweep(document.spec, tuple(space.configs(document)), ())


def with_fits(sweep: Sweep, outcome: Outcome = Outcome.COMPLETED) -> Sweep:
    """Return it with Fits that measured nothing."""
    fits = [Fit(Job(c, s, VARY, "", "t/1"), outcome, 0) for c in sweep.configs for s in sweep.spec.seeds.values]
    return replace(sweep, fits=tuple(fits))


def test_configs_on_different_data_are_judged_apart(tiny: dict, tmp_path) -> None:
    tiny["sweep"]["parameters"] = {"data.label_noise": {"values": [0.0, 0.9]}, "training.alpha": {"values": [1e-4, 1]}}
    sweep = run(tiny, store=tmp_path, jobs=1, publish=False)
    found = groups(sweep)
    assert [[c.swept["data.label_noise"] for c in group.configs] for group in found] == [[0.0, 0.0], [0.9, 0.9]]
    for group in found:
        alone = replace(sweep, configs=group.configs, fits=tuple(f for c in group.configs for f in sweep.of(c)))
        for digest, verdict in diagnose(alone).by_config.items():
            assert sweep.verdicts.by_config[digest].reasons == verdict.reasons
    assert [*sweep.verdicts.by_config] == [config.digest for config in sweep.configs]
    assert all("label_noise 0" in v.note.splitlines()[0] for v in sweep.verdicts.by_config.values())
    assert sweep.verdicts.selection is None


KEYS = {
    "model.hidden_layer_sizes": ([[50], [8, 8], [4]], [2, 1, 0]),  # by weights and biases: 353, 139, 31
    "training.learning_rate_init": ([0.1, 0.001, 0.01], [2, 0, 1]),
    "training.alpha": ([0.1, 0.001, 0.01], [0, 2, 1]),  # a penalty: the smaller the larger
    "model.activation": (["tanh", "identity", "relu"], [0, 1, 2]),  # as listed
}


@pytest.mark.parametrize(("key", "values", "order"), [(key, *rest) for key, rest in KEYS.items()], ids=KEYS)
def test_capacity_is_ordered_by_size_by_number_and_as_listed(tiny: dict, key: str, values: list, order: list) -> None:
    sweep = swept(tiny, {key: {"values": values}})
    found = places(sweep, sweep.configs, key)
    assert np.argsort(np.argsort([found[config.digest] for config in sweep.configs])).tolist() == order


@pytest.mark.parametrize(
    ("key", "values", "order"),
    [("max_depth", [None, 2, 5], [2, 0, 1]), ("min_samples_leaf", [1, 20, 5], [2, 0, 1])],
)
def test_capacity_of_an_estimator(tiny: dict, key: str, values: list, order: list) -> None:
    spec = {name: tiny[name] for name in ("name", "data")}
    spec["model"] = {"kind": "estimator", "estimator": "sklearn.tree.DecisionTreeClassifier"}
    key = f"model.parameters.{key}"
    sweep = swept(spec, {key: {"values": values}})
    found = places(sweep, sweep.configs, key)
    assert np.argsort(np.argsort([found[config.digest] for config in sweep.configs])).tolist() == order


def test_sides_are_told_only_between_configs_that_differ_in_capacity_alone(tiny: dict) -> None:
    sizes = {"model.hidden_layer_sizes": {"values": [[2], [4]]}, "training.alpha": {"values": [0.1, 1]}}
    sweep = swept(tiny, sizes, diagnosis={"capacity_axis": "model.hidden_layer_sizes"})
    (group,) = groups(sweep)
    lines = [one.group for one in group.candidates.configs]
    assert lines[0] == lines[2] != lines[1] == lines[3]
    assert all(one.group is None for one in groups(swept(tiny, sizes))[0].candidates.configs)


def test_without_fits_nothing_is_assessed(tiny: dict) -> None:
    sweep = swept(tiny, {"training.alpha": {"values": [0.1, 1]}})
    missing, failed = "2 of 2 Fits are missing", "2 of 2 Fits failed"
    for one, why in ((sweep, missing), (with_fits(sweep, Outcome.FAILED), failed)):
        found = diagnose(one)
        assert {verdict.label for verdict in found.by_config.values()} == {Label.NOT_ASSESSED}
        assert {verdict.because for verdict in found.by_config.values()} == {why}
        assert all(why in verdict.note and "try next" in verdict.note for verdict in found.by_config.values())
        assert found.selection is None


def test_one_seed_is_inconclusive_and_says_what_to_do() -> None:
    found = named(recorded(SHAPES, seeds=1))
    assert {(one.label, one.because) for one in found.values()} == {(Label.INCONCLUSIVE, "one seed")}
    assert "`-o seeds=5`" in found["right"].note


def test_one_config_is_judged_against_the_constant_predictor() -> None:
    (verdict,) = named(recorded({"only": GOOD})).values()
    assert verdict.label in (Label.GOOD, Label.INCONCLUSIVE)
    assert "judged against the constant predictor alone" in verdict.note
    (verdict,) = named(recorded({"only": (falling(2.0), falling(2.5))})).values()
    assert verdict.label is not Label.GOOD


def test_verdicts_do_not_depend_on_the_order_of_configs_and_seeds() -> None:
    sweep = recorded({**SHAPES, "other": UNDERFIT, "third": OVERFIT}, capacity={**SIZES, "other": 0.5, "third": 4})
    turned = replace(sweep, configs=sweep.configs[::-1], fits=sweep.fits[::-1])
    there = named(turned)
    for name, here in named(sweep).items():
        assert (here.text, here.because) == (there[name].text, there[name].because)


def test_validation_chooses_and_the_test_part_is_only_reported() -> None:
    close = (falling(0.79), falling(1.001))
    sweep = recorded({**SHAPES, "close": close}, capacity={**SIZES, "close": 1.5}, noise=0.05)
    best = min(sweep.configs, key=lambda c: np.mean([fit.final["loss/val"] for fit in sweep.of(c)]))
    assert chosen(sweep) == best
    val = np.array([fit.final["loss/val"] for fit in sweep.of(best)])
    found = diagnose(sweep, TestLosses(best.digest, val + 0.1, rows=0.0)).selection
    assert found.config == best.digest
    assert (found.optimism.estimate, found.optimism.n) == (pytest.approx(0.1), 5)
    assert found.among == 4
    names = {config.digest: config.swept["model.name"] for config in sweep.configs}
    assert names[found.simplest] == "close", "within a standard error, and smaller"
    other = next(c for c in sweep.configs if c != best)
    misplaced = diagnose(sweep, TestLosses(other.digest, val, rows=0.0))
    assert misplaced.selection.test is None
    assert misplaced.by_config.keys() == diagnose(sweep).by_config.keys()


def test_the_error_of_shared_test_rows_widens_what_is_reported() -> None:
    sweep = recorded(SHAPES)
    best = chosen(sweep)
    losses = np.array([fit.final["loss/val"] for fit in sweep.of(best)])
    narrow, wide = (diagnose(sweep, TestLosses(best.digest, losses, rows)).selection.test for rows in (0.0, 0.5))
    assert narrow.high - narrow.estimate < 0.1 < 0.5 < wide.high - wide.estimate
    assert wide.method == "t, test rows added"


def test_a_config_that_failed_under_a_seed_is_not_chosen() -> None:
    sweep = recorded({"best": GOOD, "worse": UNDERFIT})
    fits = tuple(replace(f, outcome=Outcome.FAILED) if i == 0 else f for i, f in enumerate(sweep.fits))
    assert chosen(replace(sweep, fits=fits)).swept["model.name"] == "worse"


def with_objective(tiny: dict, objective: dict) -> Sweep:
    """At its best epoch the one that memorises (the smaller alpha) is ahead, at its last far behind."""
    parameters = {"training.alpha": {"values": [1e-4, 1]}}
    curves = {1e-4: OVERFIT[1] - 0.3, 1: GOOD[1]}
    document = read_spec({**tiny, "sweep": {"parameters": parameters, "objective": objective}})
    configs = tuple(space.configs(document))
    source = recorded({str(a): (curve, curve) for a, curve in curves.items()}, seeds=2)
    fits = [
        replace(fit, job=Job(config, fit.job.seed, VARY, "", "t/1"))
        for config, there in zip(configs, source.configs, strict=True)
        for fit in source.of(there)
    ]
    return Sweep(document.spec, configs, tuple(fits))


def test_the_epoch_rule_of_the_spec_chooses_the_epoch_and_says_which(tiny: dict) -> None:
    last, best = (with_objective(tiny, {"metric": "loss/val", "epoch": epoch}) for epoch in ("last", "best"))
    assert chosen(last).swept["training.alpha"] == 1
    assert chosen(best).swept["training.alpha"] == 1e-4
    assert "at epoch" not in selection_words(diagnose(last).selection)
    found = diagnose(best)
    at = int(np.argmin(np.mean([fit.curves["loss/val"] for fit in best.of(chosen(best))], axis=0)))
    assert found.selection.epoch == at
    assert f"at epoch {at}" in selection_words(found.selection)
    assert "predictions are kept of the last epoch alone" in selection_words(found.selection)
    assert f"selected at epoch {at}" in check(found, "SWP007").said


@pytest.mark.parametrize("epoch", ["last", "best"])
def test_whatever_the_objective_is_validation_loss_chooses_and_says_so(tiny: dict, epoch: str) -> None:
    sweep = with_objective(tiny, {"metric": "gap/loss", "epoch": epoch})
    found = diagnose(sweep).selection
    assert chosen(sweep).swept["training.alpha"] == 1
    assert found.epoch is None
    assert "whatever the objective is (here: lowest gap/loss" in selection_words(found)
    assert diagnose(with_objective(tiny, {"metric": "loss/val"})).selection.objective == ""


def test_resampling_is_corrected_where_the_spec_says_so(tiny: dict, tmp_path) -> None:
    """Nadeau and Bengio 2003, equation 7: half-widths grow by √(1 + S·n_val/n_train), on the scale of the rule."""
    plain = run(tiny, store=tmp_path, jobs=1, publish=False)
    wide = run({**tiny, "diagnosis": {"corrected_resampling": True}}, store=tmp_path, jobs=1, publish=False)
    sizes, margin = plain.fits[0].sizes, 0.05 * np.mean([fit.null["loss/val"] for fit in plain.of(plain.configs[0])])
    grown = np.sqrt(1 + len(plain.spec.seeds.values) * sizes["n_val"] / sizes["n_train"])
    found = []
    for config in plain.configs:
        excess = [sweep.verdicts.by_config[config.digest].reasons["excess"] for sweep in (plain, wide)]
        narrow, wider = (np.arcsinh(e.high / margin) - np.arcsinh(e.estimate / margin) for e in excess)
        assert wider == pytest.approx(grown * narrow)
        found.append(narrow)
    assert max(found) > 0
    assert {check.code: str(check.state) for check in wide.verdicts.checks}["SWP006"] == "clear"


def test_a_config_that_diverged_is_neither_chosen_nor_counted() -> None:
    """Its losses are finite to the end, above where they began; under some seeds validation is the lowest of all."""
    wild = (falling(4.0), falling(0.5))
    sweep = recorded({**SHAPES, "wild": wild})
    assert named(sweep)["wild"].label is Label.DIVERGED
    assert chosen(sweep).swept["model.name"] == "right"
    assert diagnose(sweep).selection.among == 3
    alone = recorded({"wild": wild, "wilder": wild})
    assert chosen(alone) is None
    assert "without diverging" in check(diagnose(alone), "SWP002").said
    assert check(diagnose(recorded({"wild": wild, "right": GOOD})), "SWP012").state is State.FOUND
