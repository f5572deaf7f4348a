"""Identity and streams."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fitlab.seeds import canonical, digest, stream

plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(), plain, max_size=4))
def test_the_order_of_keys_is_no_part_of_an_identity(data: dict) -> None:
    assert digest(data) == digest(dict(reversed(data.items())))


def test_int_and_float_are_told_apart_and_nan_has_no_identity() -> None:
    assert canonical([1, 1.0]) == "[1,1.0]"
    with pytest.raises(ValueError, match="not JSON compliant"):
        canonical(float("nan"))


@given(st.text(), st.integers(), st.integers())
def test_streams_are_equal_for_equal_arguments_and_differ_otherwise(purpose: str, a: int, b: int) -> None:
    assert stream(purpose, a) == stream(purpose, a)
    assert 0 <= stream(purpose, a) < 2**32
    if a != b:
        assert stream(purpose, a) != stream(purpose, b)
    assert stream("split", a) != stream("init", a)


def test_streams_are_the_same_on_every_platform() -> None:
    """The first 32 bits of a published hash of published text: anyone can derive them again."""
    for text, arguments in (('["init",0]', ("init", 0)), ('["split","fixed"]', ("split", "fixed"))):
        assert stream(*arguments) == int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big")
