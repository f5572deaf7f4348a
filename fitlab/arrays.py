"""Arrays by their sums: as files hold them, and as mappings that read them when they are asked for."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fitlab.seeds import canonical

Array = NDArray[Any]
Fetch = Callable[[Sequence[str]], list[Array]]  # from sums of arrays to the arrays


@dataclass(frozen=True, eq=False)
class Stored(Mapping[str, Array]):
    """Arrays that lie elsewhere, in a file: each is read when it is asked for, every time, and not kept.

    They are known by their sums. So a file that was replaced since still gives what was meant, under whatever name
    it now has it, or nothing.
    """

    sums: Mapping[str, str]  # name -> array_sum
    fetch: Fetch  # raises StoreError where an array cannot be had

    def __getitem__(self, name: str) -> Array:
        return self.fetch([self.sums[name]])[0]

    def __contains__(self, name: object) -> bool:
        return name in self.sums  # Mapping's own would read the array

    def __iter__(self) -> Iterator[str]:
        return iter(self.sums)

    def __len__(self) -> int:
        return len(self.sums)


def plain_array(array: Array) -> Array:
    """The array as files hold it: C-ordered, little-endian. (safetensors permutes others, silently.)"""
    array = np.asarray(array, order="C")
    return array.astype(array.dtype.newbyteorder("<"), copy=False)


def array_sum(array: Array) -> str:
    """The sha256 over type, shape and bytes of a plain array."""
    total = hashlib.sha256(canonical([array.dtype.str, list(array.shape)]).encode())
    total.update(array.tobytes())
    return total.hexdigest()


def sums_of(arrays: Mapping[str, Array]) -> dict[str, str]:
    """The sum of each array, without reading those that lie in a file."""
    if isinstance(arrays, Stored):
        return dict(arrays.sums)
    return {sys.intern(name): array_sum(plain_array(array)) for name, array in arrays.items()}


def gathered(groups: Mapping[str, Mapping[str, Array]]) -> dict[str, Array]:
    """Return the plain arrays of all groups, each name after the key of its group. A file is read once, not often."""
    whole: dict[str, Array] = {}
    stored: dict[Fetch, dict[str, str]] = {}
    for begin, group in groups.items():
        if isinstance(group, Stored):
            stored.setdefault(group.fetch, {}).update({begin + name: sum_ for name, sum_ in group.sums.items()})
        else:
            whole |= {begin + name: plain_array(array) for name, array in group.items()}
    for fetch, sums in stored.items():
        whole |= zip(sums, fetch(list(sums.values())), strict=True)
    return whole


def arrays_digest(arrays: Mapping[str, Array]) -> str:
    """The sha256 over names, types, shapes and bytes of plain arrays, in the order of names."""
    total = hashlib.sha256()
    for name in sorted(arrays):
        array = arrays[name]
        total.update(canonical([name, array.dtype.str, list(array.shape)]).encode())
        total.update(array.tobytes())
    return total.hexdigest()
