"""Beginning from a file: the very parameters, known by what the file holds, refused where they do not fit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file
from trainers.conformance import TrainerConformance, fit, job_and_split
from trainers.test_mlp import spec, without_biases

import fitlab
from fitlab import trainers
from fitlab.errors import SpecError
from fitlab.records import Fit
from fitlab.spec import sections
from fitlab.store import Store


def saved(whole: Fit, path: Path, **changes: Any) -> str:
    """Write the weights of a Fit under our names; None leaves one out."""
    named = {**whole.weights, **{name.replace("__", "/"): array for name, array in changes.items()}}
    save_file({name: array for name, array in named.items() if array is not None}, path)
    return str(path)


def beginning(case: dict[str, Any], initial: Any) -> dict[str, Any]:
    return {**case, "model": {**case["model"], "initial": initial}}


class TestInitial(TrainerConformance):
    @pytest.fixture
    def spec(self, tmp_path: Path) -> dict[str, Any]:
        source = fit(spec("wine"), seed=7)
        return beginning(spec("wine"), {"path": saved(source, tmp_path / "w.safetensors"), "layers": ["output"]})


def test_from_what_the_seed_would_draw_training_is_the_same_bit_for_bit(tmp_path: Path) -> None:
    plain = fit(spec("wine"))
    path = saved(fit(spec("wine"), to_epoch=0), tmp_path / "w.safetensors")
    again = fit(beginning(spec("wine"), path))
    assert again.job.digest != plain.job.digest
    assert all((again.weights[name] == array).all() for name, array in plain.weights.items())
    assert all((again.curves[name] == curve).all() for name, curve in plain.curves.values.items())


def test_layers_that_are_not_taken_are_drawn_as_ever(tmp_path: Path) -> None:
    source, drawn = fit(spec("wine", (5, 4)), seed=1), fit(spec("wine", (5, 4)), to_epoch=0)
    path = saved(source, tmp_path / "w.safetensors", output__weight=np.ones((9, 9)))  # of another head
    begun = fit(beginning(spec("wine", (5, 4)), {"path": path, "layers": ["hidden_1", "hidden_2"]}), to_epoch=0)
    for name, array in begun.weights.items():
        assert (array == (drawn if name.startswith("output") else source).weights[name]).all()


def test_it_goes_on_from_a_fit_of_a_store_and_a_changed_file_is_another_job(tmp_path: Path) -> None:
    store = tmp_path / "store"
    first = fitlab.run({**spec("wine"), "seeds": 2}, store=store, jobs=1, publish=False).fits
    case = spec("wine", learning_rate_multipliers=[0, 1], snapshots=[0])
    copy = tmp_path / "copy"
    swept = {"model.initial": {"values": [None, str(copy)]}}
    case = {**case, "name": "on", "seeds": 2, "sweep": {"parameters": swept}}
    copy.write_bytes(Store.at(store).fit_path(first[0].job.digest).read_bytes())
    sweep = fitlab.run(case, store=store, jobs=2, publish=False)
    scratch, on = (sweep.of(config) for config in sweep.configs)
    for begun in on:
        assert all((begun.snapshots[0][name] == array).all() for name, array in first[0].weights.items())
        assert (begun.weights["hidden_1/weight"] == first[0].weights["hidden_1/weight"]).all()
    assert on[0].curves["loss/val"][0] < scratch[0].curves["loss/val"][0]
    assert fitlab.run(case, store=store, jobs=1, publish=False).fits == sweep.fits
    copy.write_bytes(Store.at(store).fit_path(first[1].job.digest).read_bytes())
    changed = fitlab.run(case, store=store, jobs=1, publish=False)
    assert [a == b for a, b in zip(sweep.fits, changed.fits, strict=True)] == [True, True, False, False]
    assert [config.digest for config in sweep.configs] == [config.digest for config in changed.configs]


def test_a_file_that_changes_after_planning_fails(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    job, split = job_and_split(beginning(spec("wine"), saved(fit(spec("wine")), path)))
    saved(fit(spec("wine"), seed=1), path)
    with pytest.raises(SpecError, match="changed since the job was planned"):
        trainers.start(job, split)


def told(case: dict[str, Any]) -> str:
    """Return what is said of a Config, whatever the data are and on these data."""
    plain, split = job_and_split({**case, "model": {**case["model"], "initial": None}})
    found = sections({**plain.config.plain, "model": case["model"]})
    problems = list(trainers.problems(found, frozenset()))
    return "\n".join(map(str, problems or trainers.misfits(found, split.task, split.sizes, split.classes)))


WRONG = [
    ({}, (5,), ["besides"], {"hidden_2__weight": np.ones((5, 5))}),
    ({}, (5,), ["it lacks output/bias", "layers: [hidden_1]"], {"output__bias": None}),
    ({}, (6,), ["hidden_1/weight has another shape", "given:   (13, 5)", "allowed: (13, 6)"], {}),
    ({}, (5,), ["not finite numbers", "output/bias"], {"output__bias": np.full(3, np.nan)}),
    ({}, (5,), ["not finite numbers", "output/bias"], {"output__bias": np.arange(3)}),
    ({"layers": ["hidden_2"]}, (5,), ["model.initial.layers", "hidden_2", "hidden_1, output"], {}),
]


@pytest.mark.parametrize(("options", "hidden", "says", "changes"), WRONG)
def test_a_file_that_does_not_fit_is_refused(
    options: dict, hidden: tuple[int, ...], says: list[str], changes: dict, tmp_path: Path
) -> None:
    path = saved(fit(spec("wine")), tmp_path / "w.safetensors", **changes)
    said = told(beginning(spec("wine", hidden), {"path": path, **options}))
    assert all(words in said for words in says), said


def test_what_is_no_such_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "junk").write_bytes(b"junk")
    save_file({"other": np.ones(2)}, tmp_path / "other")
    head = b'{"hidden_1/weight":{"dtype":"BF16","shape":[1],"data_offsets":[0,2]}}'
    (tmp_path / "bf16").write_bytes(len(head).to_bytes(8, "little") + head + bytes(2))
    wrong = {
        "none": "No such file",
        "junk": "not a safetensors file",
        "other": "without parameters",
        "bf16": "save them as",
    }
    for name, says in {**wrong, "~nobody-of-this-name/x": "home"}.items():
        said = told(beginning(spec("wine"), name if name.startswith("~") else str(tmp_path / name)))
        assert "model.initial.path" in said
        assert says in said
    biased = saved(fit(spec("wine")), tmp_path / "w.safetensors")
    assert "another function" in told(without_biases(beginning(spec("wine"), biased)))
