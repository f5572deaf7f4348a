"""Weights, snapshots and predictions are read from the store when they are asked for: the right ones, or none."""

from __future__ import annotations

import pickle
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from conftest import PROVE
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import load, save
from store.test_codec import JOB, arrays, strided

from fitlab.arrays import Stored, arrays_digest
from fitlab.errors import StoreError
from fitlab.records import Curves, Fit, Outcome, Provenance, merged, upto
from fitlab.seeds import canonical, digest
from fitlab.store import Store, read_fit, write_fit


@pytest.fixture
def place(tmp_path: Path) -> Store:
    return Store.at(tmp_path / "store", create=True)


def example(epochs: int = 4, snapshots: tuple[int, ...] = (0, 2), outcome: Outcome = Outcome.COMPLETED) -> Fit:
    """A Fit whose arrays say which they are."""

    def at(epoch: int) -> dict[str, np.ndarray]:
        return {"hidden_1/weight": np.full((3, 5), float(epoch)), "hidden_1/bias": np.arange(5.0) + epoch}

    curves = Curves(np.arange(epochs + 1), {"loss/train": 1.0 / np.arange(1, epochs + 2)})
    predictions = {"val": np.eye(3), "test": np.eye(3)} if outcome is Outcome.COMPLETED else {}
    kept = {epoch: at(epoch) for epoch in snapshots}
    stamp = Provenance(1, 0.5, "host", "platform")
    ended = {"predictions": predictions, "null": {"loss/val": 1.0}, "provenance": stamp}
    return Fit(JOB, outcome, epochs, curves, at(epochs), kept, **ended)


def held(fit: Fit) -> Iterator[Mapping[str, np.ndarray]]:
    yield from (fit.weights, fit.predictions, *fit.snapshots.values())


def same(one: Fit, other: Fit) -> bool:
    """Whether all arrays are equal, bit for bit, read one by one."""
    a, b = one.arrays, other.arrays
    return a.keys() == b.keys() and all(a[name].tobytes() == b[name].tobytes() for name in a)


@given(
    weights=st.dictionaries(st.sampled_from(["hidden_1/weight", "hidden_1/bias", "output/weight"]), arrays),
    how=st.sampled_from(["plain", "fortran", "strided", "transposed"]),
)
def test_what_is_read_from_the_store_is_what_was_written(
    tmp_path_factory: pytest.TempPathFactory, weights: dict, how: str
) -> None:
    place = Store.at(tmp_path_factory.mktemp("store"), create=True)
    weights = {name: strided(array, how) for name, array in weights.items()}
    fit = replace(example(), weights=weights, snapshots={1: weights, 3: weights} if weights else {})
    kept = place.write(fit)
    sent = pickle.loads(pickle.dumps(kept))  # noqa: S301 (our own)
    for light in (kept, sent, place.read(JOB.digest), place.read(JOB.digest, head=True)):
        assert all(isinstance(group, Stored) for group in held(light))
        assert light == fit
        assert light.content_digest == fit.content_digest
        assert same(light, fit)
        assert light.provenance == fit.provenance
        assert write_fit(light) == write_fit(fit)


def test_digests_and_curves_need_no_file(place: Store) -> None:
    fit = example()
    kept = place.write(fit)
    place.fit_path(JOB.digest).unlink()
    assert upto(kept, 2) == upto(fit, 2)
    assert kept == fit
    assert kept.final == fit.final


@pytest.mark.parametrize("end", [2, 4])
def test_a_fit_keeps_its_own_weights_when_another_sweep_makes_its_file_longer(place: Store, end: int) -> None:
    short = example(end, (0, 2, end), Outcome.PRUNED)
    kept = place.write(short)
    place.write(example(6, (0, 6)))
    assert place.read(JOB.digest).outcome is Outcome.COMPLETED
    assert same(kept, short)
    assert same(upto(kept, 2), upto(short, 2))
    cut = upto(place.read(JOB.digest), end)
    assert (cut.weights["hidden_1/weight"] == end).all()


def test_what_the_store_has_is_merged_without_its_arrays_in_memory(place: Store) -> None:
    one, other = example(4, (0, 2, 4), Outcome.PRUNED), example(6, (0, 3))
    whole = merged(other, one)
    place.write(one)
    place.write(other)
    assert place.read(JOB.digest) == whole
    assert same(place.read(JOB.digest), whole)


def gone(path: Path) -> None:
    path.unlink()


def truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-3])


def empty(path: Path) -> None:
    path.write_bytes(b"")


def flipped(path: Path) -> None:
    """Every array is damaged, the head is not."""
    data = path.read_bytes()
    begin = 8 + int.from_bytes(data[:8], "little")
    path.write_bytes(data[:begin] + bytes(byte ^ 1 for byte in data[begin:]))


def replaced(path: Path) -> None:
    """By a Fit of the same job with other numbers, as another machine may give them."""
    path.write_bytes(write_fit(replace(example(), weights={"hidden_1/weight": np.ones((3, 5))}, snapshots={})))


@pytest.mark.parametrize("damage", [gone, truncated, empty, flipped, replaced])
def test_what_can_no_longer_be_read_is_an_error_that_says_what_to_do(place: Store, damage) -> None:
    kept = place.write(example())
    damage(place.fit_path(JOB.digest))
    for read in (lambda: kept.weights["hidden_1/weight"], lambda: kept.snapshots[2]["hidden_1/bias"]):
        with pytest.raises(StoreError, match=rf"{JOB.digest}.safetensors: .*; run its sweep again"):
            read()


def test_no_flipped_bit_goes_unseen_when_arrays_are_read_one_by_one(place: Store) -> None:
    fit = example()
    place.write(fit)
    path = place.fit_path(JOB.digest)
    data = path.read_bytes()
    rng = np.random.default_rng(0)
    for _ in range(2000 if PROVE else 300):
        damaged = bytearray(data)
        damaged[rng.integers(len(data))] ^= 1 << int(rng.integers(8))
        path.write_bytes(damaged)
        found = place.read(JOB.digest, head=True)
        try:
            assert found is None or same(found, fit)
        except StoreError:
            continue


def of_version_1(fit: Fit) -> bytes:
    """The file of a Fit as it was written when there was one sum over all arrays."""
    body = {"record": {**fit.record, "record_version": 1}, "provenance": None}
    sums = {"arrays": arrays_digest(fit.arrays), "json": digest(body)}
    return save(fit.arrays, {"fitlab": canonical({**body, "sha256": sums})})


def test_files_of_version_1_are_read_and_checked(place: Store) -> None:
    fit, path = example(), place.fit_path(JOB.digest)
    path.write_bytes(of_version_1(fit))
    assert read_fit(path.read_bytes()) == fit
    for found in (place.read(JOB.digest), place.read(JOB.digest, head=True)):
        assert found == fit
        assert same(found, fit)
    flipped(path)
    assert place.read(JOB.digest) is None


def test_a_newer_file_is_no_damage(place: Store) -> None:
    fit, path = example(), place.fit_path(JOB.digest)
    head = {"record": {**fit.record, "record_version": 99}, "something": "new"}
    path.write_bytes(save(load(write_fit(fit)), {"fitlab": canonical({**head, "sha256": digest(head)})}))
    for head_only in (True, False):
        with pytest.raises(StoreError, match="newer fitlab"):
            place.read(JOB.digest, set_aside=True, head=head_only)
    assert path.exists()
