"""``fitlab gc``: exactly the Fits that no sweep uses go, and none while somebody might use it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from cli.test_cli import Fitlab, fitlab  # noqa: F401 (a fixture)
from cli.test_status import cut, held
from hypothesis import given, settings
from hypothesis import strategies as st

from fitlab import run
from fitlab.errors import StoreError
from fitlab.store import Store
from fitlab.upkeep.unused import remove, unused, used

WIDTHS = [[2], [3], [4], [5]]


def train(spec: dict, store: Path) -> None:
    run(spec, store=store, jobs=1, publish=False)


def there(store: Path) -> set[str]:
    return {path.stem for path in (store / "fits").glob("*.safetensors")}


def test_nothing_is_removed_before_it_is_asked_for_and_then_what_was_listed(
    fitlab: Fitlab, tiny: dict, tmp_path: Path
) -> None:
    train(tiny, tmp_path)
    whole = there(tmp_path)
    tiny["sweep"]["parameters"]["training.alpha"]["values"] = [1]
    train(tiny, tmp_path)
    listed = json.loads(fitlab("gc", "--store", tmp_path, "--json")[1])
    going = {one["digest"] for one in listed["fits"]}
    assert (len(going), listed["removed"], there(tmp_path)) == (4, False, whole)
    sizes = [Store.at(tmp_path).fit_path(one).stat().st_size for one in going]
    assert listed["bytes"] == sum(sizes)
    assert "4 Fits that no sweep uses take" in fitlab("gc", "--store", tmp_path)[1]
    code, out, err = fitlab("gc", "--store", tmp_path, "--yes", "--json")
    assert (code, err) == (0, "")
    assert {one["digest"] for one in json.loads(out)["fits"]} == going
    assert there(tmp_path) == whole - going
    assert "nothing to remove" in fitlab("gc", "--store", tmp_path, "--delete")[1]


@given(st.lists(st.lists(st.sampled_from(range(4)), min_size=1, unique=True), min_size=1, max_size=4))
@settings(max_examples=8)
def test_what_is_left_is_the_union_of_what_sweeps_use(tmp_path_factory: pytest.TempPathFactory, chosen: list) -> None:
    """Each list is a sweep over some widths; a later one of the same name takes the place of an earlier one."""
    root = tmp_path_factory.mktemp("gc")
    spec = {
        "data": {"kind": "iris"},
        "model": {"kind": "mlp"},
        "training": {"epochs": 1, "batch_size": 64},
        "seeds": 1,
    }
    last: dict[str, list] = {}
    for i, widths in enumerate(chosen):
        last[f"s{i % 2}"] = widths
        swept = {"model.hidden_layer_sizes": {"values": [WIDTHS[w] for w in widths]}}
        train({**spec, "name": f"s{i % 2}", "sweep": {"parameters": swept}}, root)
    place = Store.at(root)
    before, gone = there(root), {one.digest for one in remove(place)}
    assert there(root) == used(place) == before - gone
    assert len(there(root)) == len(set().union(*last.values()))
    for name, widths in last.items():
        assert len(place.load(name).fits) == len(widths)
    shutil.rmtree(root)


def test_a_full_disk_can_be_made_room_on(tiny: dict, tmp_path: Path) -> None:
    train(tiny, tmp_path)
    Store.at(tmp_path).sweep_path("tiny").unlink()
    script = f"ulimit -f 0; {sys.executable} -m fitlab gc --yes --store {tmp_path}"
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True)
    assert (done.returncode, done.stderr, there(tmp_path)) == (0, "", set())


def test_nothing_is_removed_while_a_sweep_runs(fitlab: Fitlab, tiny: dict, tmp_path: Path) -> None:
    train(tiny, tmp_path)
    place = Store.at(tmp_path)
    place.sweep_path("tiny").unlink()
    with held(place, "other") as pid:
        code, _, err = fitlab("gc", "--store", tmp_path, "--yes")
        assert (code, len(there(tmp_path))) == (3, 8)
        assert f"other is being run by process {pid}" in err
    assert fitlab("gc", "--store", tmp_path, "--yes")[0] == 0
    assert there(tmp_path) == set()


def test_no_sweep_begins_while_fits_are_removed(tiny: dict, tmp_path: Path) -> None:
    """One that would waits: what it finds in the store is then there to stay."""
    place = Store.at(tmp_path, create=True)
    begun: list[str] = []

    def begin() -> None:
        with place.locked("tiny"):
            begun.append("tiny")

    with place.alone():
        with pytest.raises(StoreError, match="is being used by process"), place.alone():
            pass
        sweep = threading.Thread(target=begin)
        sweep.start()
        sweep.join(0.5)
        assert begun == []
    sweep.join()
    assert begun == ["tiny"]
    with place.locked("tiny"), place.locked("other"), pytest.raises(StoreError, match="is being run by"), place.alone():
        pass


def test_what_a_stopped_sweep_may_come_to_is_kept_until_it_is_finished(tiny: dict, tmp_path: Path) -> None:
    other = {**tiny, "name": "other", "training": {**tiny["training"], "epochs": 3}}
    train(other, tmp_path)
    wide = json.loads(json.dumps(tiny))
    wide["sweep"]["parameters"]["training.alpha"]["values"].append(0.1)
    train({**wide, "name": "wide"}, tmp_path)
    place = Store.at(tmp_path)
    for name in ("other", "wide"):
        place.sweep_path(name).unlink()
    cut({**tiny, "seeds": 3}, tmp_path, seed=2)
    found = unused(place)
    kept = [one for one in found if one.kept]
    assert len(kept) == 4, "Fits of alpha 0.1: the same but for what is swept"
    assert {one.kept for one in kept} == {"tiny, which is not finished, may come to it"}
    assert {one.digest for one in remove(place)} == {one.digest for one in found if not one.kept}
    train(tiny, tmp_path)
    assert {one.digest for one in remove(place)} == {one.digest for one in kept}


def test_where_it_cannot_be_known_what_is_used_nothing_is_removed(fitlab: Fitlab, tiny: dict, tmp_path: Path) -> None:
    train(tiny, tmp_path)
    place = Store.at(tmp_path)
    place.sweep_path("tiny").write_text("{")
    for _ in range(2):
        code, _, err = fitlab("gc", "--store", tmp_path, "--yes")
        assert (code, len(there(tmp_path))) == (3, 8)
        assert "tiny" in err
        assert fitlab("doctor", "--store", tmp_path, "--fix")[0] == 0, "the record is in quarantine, not forgotten"
    train(tiny, tmp_path)
    assert fitlab("gc", "--store", tmp_path, "--yes")[0] == 0
    assert len(there(tmp_path)) == 8


def test_a_store_without_its_fits_or_its_sweeps_loses_nothing_more(fitlab: Fitlab, tiny: dict, tmp_path: Path) -> None:
    train(tiny, tmp_path)
    shutil.move(tmp_path / "fits", tmp_path / "away")
    assert fitlab("gc", "--store", tmp_path, "--yes")[0] == 0
    code, out, _ = fitlab("doctor", "--store", tmp_path)
    assert (code, "tiny is finished, but 8 of its 8 Fits are lost" in out) == (1, True)
    shutil.move(tmp_path / "away", tmp_path / "fits")
    shutil.rmtree(tmp_path / "sweeps")
    for command in (("gc", "--yes"), ("doctor",), ("status",)):
        code, out, err = fitlab(*command, "--store", tmp_path)
        assert (code, "its sweeps/ are gone, though not its Fits; `fitlab sweep" in out + err) == (3, True)
    assert len(there(tmp_path)) == 8


def test_a_link_is_no_fit_and_what_it_points_to_stays(tiny: dict, tmp_path: Path) -> None:
    train(tiny, tmp_path / "s")
    place, mine = Store.at(tmp_path / "s"), tmp_path / "mine.txt"
    mine.write_text("mine")
    place.fit_path("0" * 64).symlink_to(mine)
    place.sweep_path("tiny").unlink()
    assert len(remove(place)) == 8
    assert mine.read_text() == "mine"
    assert place.fit_path("0" * 64).is_symlink()
