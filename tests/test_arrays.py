"""Sums of arrays: what is equal has one, what is not has another; and mappings that read when asked."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from fitlab.arrays import Stored, array_sum, gathered, plain_array, sums_of

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

    def fetch(wanted: Sequence[str]) -> list[np.ndarray]:
        read.extend(wanted)
        return [named[name] for one in wanted for name in named if sums[name] == one]

    stored = Stored(sums, fetch)
    assert (list(stored), len(stored), "a" in stored, "c" in stored) == (["b", "a"], 2, True, False)
    assert sums_of(stored) == sums
    assert read == []
    assert (stored["a"] == named["a"]).all()
    assert read == [sums["a"]]
    with pytest.raises(KeyError):
        _ = stored["c"]


def test_arrays_of_one_file_are_read_at_once() -> None:
    arrays, calls = [np.arange(3), np.ones((2, 2)), np.zeros(1)], []
    sums = [array_sum(array) for array in arrays]

    def fetch(wanted: Sequence[str]) -> list[np.ndarray]:
        calls.append(wanted)
        return [arrays[sums.index(one)] for one in wanted]

    groups = {"a/": Stored({"x": sums[0], "y": sums[1]}, fetch), "b/": {"x": arrays[2]}, "c/": Stored({}, fetch)}
    groups["d/"] = Stored({"x": sums[0]}, fetch)
    found = gathered(groups)
    assert {name: array_sum(array) for name, array in found.items()} == {
        "a/x": sums[0], "a/y": sums[1], "b/x": sums[2], "d/x": sums[0]
    }  # fmt: skip
    assert len(calls) == 1
