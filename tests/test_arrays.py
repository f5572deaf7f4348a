"""Sums of arrays: what is equal has one, what is not has another; and mappings that read when asked."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from fitlab.arrays import Stored, array_sum, plain_array, sums_of

shapes = hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3)
arrays = hnp.arrays(st.sampled_from(["<f8", ">f8", "<f4", "<i8", "|u1", "?"]), shapes)


@given(arrays, arrays)
def test_two_arrays_have_one_sum_if_and_only_if_they_are_the_same(one: np.ndarray, other: np.ndarray) -> None:
    def known(array: np.ndarray) -> tuple:
        array = plain_array(array)
        return array.dtype.str, array.shape, array.tobytes()

    same = array_sum(plain_array(one)) == array_sum(plain_array(other))
    assert same == (known(one) == known(other))


def test_an_array_of_another_order_or_byte_order_has_the_sum_of_the_plain_one() -> None:
    array = np.arange(6.0).reshape(2, 3)
    for other in (np.asfortranarray(array), array.astype(">f8"), np.repeat(array, 2, axis=0)[::2]):
        assert sums_of({"": other}) == sums_of({"": array})


def test_only_asking_for_an_array_reads_it() -> None:
    named = {"b": np.arange(3), "a": np.ones((2, 2))}
    sums, read = sums_of(named), []

    def fetch(wanted: str) -> np.ndarray:
        read.append(wanted)
        return next(array for name, array in named.items() if sums[name] == wanted)

    stored = Stored(sums, fetch)
    assert (list(stored), len(stored), "a" in stored, "c" in stored) == (["b", "a"], 2, True, False)
    assert sums_of(stored) == sums
    assert read == []
    assert (stored["a"] == named["a"]).all()
    assert read == [sums["a"]]
    with pytest.raises(KeyError):
        _ = stored["c"]


def test_stored_arrays_travel_to_other_processes_as_sums() -> None:
    here = {array_sum(array): array for array in (np.arange(4),)}
    stored = pickle.loads(pickle.dumps(Stored({"a": next(iter(here))}, here.__getitem__)))  # noqa: S301 (our own)
    assert (stored["a"] == np.arange(4)).all()
