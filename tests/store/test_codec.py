"""read(write(fit)) == fit, and no damage goes unseen."""

from __future__ import annotations

import json

import numpy as np
import pytest
from conftest import PROVE
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from safetensors.numpy import load, save
from trainers.conformance import job_and_split
from trainers.test_mlp import spec

from fitlab.records import Curves, Fit, Outcome, Provenance
from fitlab.seeds import canonical, digest
from fitlab.store import CorruptFileError, read_fit, write_fit
from fitlab.store.codec import KEY, LATER

JOB = job_and_split(spec())[0]
shapes = hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4)
arrays = hnp.arrays(st.sampled_from([np.float64, np.float32, np.int64, np.uint8, np.bool_]), shapes)


def strided(array: np.ndarray, how: str) -> np.ndarray:
    if how == "fortran":
        return np.asfortranarray(array)
    if how == "strided" and array.ndim:
        return np.repeat(array, 2, axis=0)[::2]
    return array.T if how == "transposed" else array


@given(
    arrays=st.dictionaries(st.sampled_from(["hidden_1/weight", "hidden_1/bias", "output/weight"]), arrays),
    how=st.sampled_from(["plain", "fortran", "strided", "transposed"]),
    outcome=st.sampled_from(list(Outcome)),
    null=st.dictionaries(st.sampled_from(["loss/train", "loss/val"]), st.floats()),
    cause=st.none() | st.text(),
)
def test_a_fit_comes_back_bit_for_bit(arrays: dict, how: str, outcome: Outcome, null: dict, cause: str | None) -> None:
    arrays = {name: strided(array, how) for name, array in arrays.items()}
    curves = Curves(np.arange(3), {"loss/train": np.array([1.0, np.nan, -np.inf])})
    stamp = Provenance(1, 0.5, "host", "platform", {"numpy": "2"}, "abc", True, "a CPU", "a BLAS", 2)
    written = Fit(JOB, outcome, 2, curves, arrays, {0: arrays, 10: arrays}, null=null, cause=cause, provenance=stamp)
    read = read_fit(write_fit(written))
    assert read == written
    assert read.content_digest == written.content_digest
    assert read.provenance == stamp
    assert list(read.snapshots) == ([0, 10] if arrays else [])
    for name, array in arrays.items():
        assert read.weights[name].dtype == array.dtype
        assert read.weights[name].shape == array.shape
        assert read.weights[name].tobytes() == np.asarray(array, order="C").tobytes()


def example() -> Fit:
    curves = Curves(np.arange(3), {"loss/train": np.array([1.0, 0.5, 0.2])})
    return Fit(JOB, Outcome.COMPLETED, 2, curves, {"output/weight": np.arange(6.0).reshape(2, 3)}, loss="log_loss")


def test_other_content_is_another_fit_and_other_provenance_is_not() -> None:
    fit = example()
    later = fit.stamped(Provenance(9, 9.0, "elsewhere", "p"))
    assert later == fit
    assert later.content_digest == fit.content_digest
    other = Fit(JOB, fit.outcome, 2, fit.curves, {"output/weight": np.arange(6.0).reshape(3, 2)}, loss="log_loss")
    assert other != fit


def test_what_was_added_to_provenance_is_read_and_missed_by_no_version() -> None:
    """Fits from before have none of it, and an earlier version reads the rest of a Fit that has."""
    old, new = Provenance(1, 0.5, "host", "platform"), Provenance(1, 0.5, "host", "platform", cpu="a CPU", tries=3)
    written = write_fit(example().stamped(new))
    head = json.loads(json.loads(written[8 : 8 + int.from_bytes(written[:8], "little")])["__metadata__"]["fitlab"])
    assert Provenance(**head["provenance"]) == old
    assert set(head["more"]) == LATER
    assert read_fit(written).provenance == new
    whole, safe = without(head, "more"), load(written)
    assert read_fit(save(safe, {KEY: canonical({**whole, "sha256": digest(whole)})})).provenance == old


def without(head: dict, key: str) -> dict:
    return {name: value for name, value in head.items() if name not in (key, "sha256")}


def test_the_file_is_safetensors_and_json_without_pickle() -> None:
    data = write_fit(example())
    assert set(load(data)) == {"curves/epoch", "curves/loss/train", "weights/output/weight"}
    meta = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])["__metadata__"]
    assert list(meta) == ["fitlab"]
    assert json.loads(meta["fitlab"])["record"]["outcome"] == "completed"


def test_no_flipped_bit_and_no_truncation_goes_unseen() -> None:
    data = write_fit(example())
    rng = np.random.default_rng(0)
    for _ in range(2000 if PROVE else 300):
        damaged = bytearray(data)
        damaged[rng.integers(len(data))] ^= 1 << int(rng.integers(8))
        try:
            assert read_fit(bytes(damaged)) == example()  # only white space of the header may flip unseen
        except CorruptFileError:
            continue
    for length in rng.integers(len(data), size=200):
        with pytest.raises(CorruptFileError):
            read_fit(data[:length])
    for junk in (b"", b"\0" * 64, b"not a tensor at all", data + b"x"):
        with pytest.raises(CorruptFileError):
            read_fit(junk)
