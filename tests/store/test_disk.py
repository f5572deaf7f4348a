"""The store: whole files or none, damage set aside, one owner at a time."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from store.test_codec import example

from fitlab.errors import StoreError
from fitlab.records import Job
from fitlab.store import Store


@pytest.fixture
def place(tmp_path: Path) -> Store:
    return Store.at(tmp_path / "store", create=True)


def test_what_was_written_is_read(place: Store) -> None:
    fit = example()
    assert place.read(fit.job.digest) is None
    place.write(fit)
    assert place.read(fit.job.digest) == fit
    assert [path.name for path in place.fit_path("x").parent.iterdir()] == [f"{fit.job.digest}.safetensors"]


@pytest.mark.parametrize("damage", ["truncated", "flipped", "empty", "another job"])
def test_a_damaged_file_is_set_aside_and_counts_as_none(place: Store, damage: str) -> None:
    fit = example()
    place.write(fit)
    path = place.fit_path(fit.job.digest)
    data = path.read_bytes()
    wanted = fit.job.digest
    match damage:
        case "truncated":
            path.write_bytes(data[:-3])
        case "flipped":
            path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
        case "empty":
            path.write_bytes(b"")
        case "another job":
            wanted = "0" * 64
            path.rename(place.fit_path(wanted))
    assert place.read(wanted) is None
    assert place.fit_path(wanted).exists(), "a look changes nothing"
    assert place.read(wanted, set_aside=True) is None
    assert place.set_aside() == [f"{wanted}.safetensors.corrupt"]
    assert not place.fit_path(wanted).exists()
    place.write(fit)
    assert place.read(fit.job.digest) == fit


def test_a_failed_write_leaves_the_old_file_and_nothing_beside_it(
    place: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    fit = example()
    place.write(fit)
    before = place.fit_path(fit.job.digest).read_bytes()

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)  # a full disk, which a test cannot have
    with pytest.raises(StoreError, match="No space left"):
        place.write(fit)
    assert place.fit_path(fit.job.digest).read_bytes() == before
    assert len(list(place.fit_path("x").parent.iterdir())) == 1


def test_a_store_that_cannot_be_used_says_so(tmp_path: Path, place: Store) -> None:
    (tmp_path / "file").write_text("")
    for root in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(StoreError, match="cannot be used"):
            Store.at(root, create=True)
    with pytest.raises(StoreError, match="no store here"):
        Store.at(tmp_path / "nowhere")
    with pytest.raises(StoreError, match="no sweep named x; there are: none"):
        place.load("x")


def test_a_store_is_where_it_is_when_the_way_there_is_gone(place: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    (place.root / "here").mkdir()
    monkeypatch.chdir(place.root / "here")
    assert Store.at("..").root == place.root
    (place.root / "here").rmdir()
    for store in ("..", "mlruns"):
        with pytest.raises(StoreError, match="cannot be used"):
            Store.at(store)


@pytest.mark.parametrize("part", ["fits", "locks", "mlflow.db", "reports", "figures"])
def test_no_part_of_a_store_leads_out_of_it(place: Store, tmp_path: Path, part: str) -> None:
    shutil.rmtree(place.root / part, ignore_errors=True)
    (place.root / part).symlink_to(tmp_path)
    with pytest.raises(StoreError, match=f"{part} is a link that leads out of the store"):
        Store.at(place.root)


def test_what_cannot_be_listed_is_not_taken_for_empty(place: Store) -> None:
    (place.root / "sweeps").rmdir()
    assert place.names() == []
    (place.root / "sweeps").write_text("")
    with pytest.raises(StoreError, match="sweeps: cannot be read"):
        place.names()


def test_a_lock_needs_no_folder_and_one_that_cannot_be_had_is_said(place: Store) -> None:
    (place.root / "locks").rmdir()
    with place.locked("x"), place.locked(".fits", wait=True):
        assert place.running("x")
    shutil.rmtree(place.root / "locks")
    (place.root / "locks").write_text("")
    with pytest.raises(StoreError, match="this lock cannot be used"), place.locked("x"):
        pass


@pytest.mark.parametrize("text", ["", "{}", "[]", "null", '{"sha256": "0"}', "\x00"])
def test_a_damaged_sweep_file_is_said_and_how_to_mend_it(place: Store, text: str) -> None:
    place.sweep_path("x").write_text(text)
    with pytest.raises(StoreError, match="writes it anew"):
        place.load("x")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"name": "x"}, "damaged .*writes it anew"),
        ({"name": "x", "spec": {}, "configs": [{"fits": [{}]}]}, "damaged .*writes it anew"),
        ({"name": "y", "spec": {}, "configs": []}, "a copy of the record of y"),
    ],
)
def test_a_record_is_whole_and_of_that_sweep(place: Store, body: dict, said: str) -> None:
    from fitlab.seeds import digest

    place.sweep_path("x").write_text(json.dumps({**body, "sha256": digest(body)}))
    for name in ("x", "../sweeps/x"):
        with pytest.raises(StoreError, match=said if name == "x" else "sweeps"):
            place.sweep_record(name)


def test_newer_records_are_not_touched(place: Store) -> None:
    from fitlab.seeds import digest

    body = {"record_version": 99}
    place.sweep_path("x").write_text(json.dumps({**body, "sha256": digest(body)}))
    with pytest.raises(StoreError, match="newer fitlab"):
        place.load("x")


def test_a_fit_of_an_earlier_grammar_is_no_damage(place: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """A key that was not there yet is at its default: the same identity, before and after."""
    fit = example()
    assert "epsilon" in fit.job.config.plain["training"]
    assert "epsilon" not in fit.job.plain["config"].get("training", {})
    place.write(fit)
    monkeypatch.setattr(Job, "plain", property(lambda job: {**job.__dict__, "added": "later"}))
    assert place.read(fit.job.digest) is not None


def test_the_second_owner_is_refused_at_once_and_a_dead_one_holds_nothing(place: Store) -> None:
    code = (
        "import sys, time; from fitlab.store import Store\n"
        f"with Store.at({str(place.root)!r}).locked('x'): print('held', flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout.readline() == "held\n"
        with pytest.raises(StoreError, match=f"being run by process {owner.pid}"), place.locked("x"):
            pass
        assert place.running("x")
        assert not place.running("never")
        with place.locked("y"):
            pass
        owner.kill()
        owner.wait()
        with place.locked("x"):
            assert place.running("x")
    assert not place.running("x")
