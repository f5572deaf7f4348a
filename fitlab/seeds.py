"""Identity and randomness: canonical JSON, digests, and the streams that are derived from them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any


def canonical(value: Any) -> str:
    """Write JSON data in its one canonical form: sorted keys, no blanks, shortest floats, no NaN."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False, ensure_ascii=False)


def digest(value: Any) -> str:
    """Return the sha256 (64 hex digits) of the canonical JSON of ``value``."""
    return hashlib.sha256(canonical(value).encode()).hexdigest()


def stream(purpose: str, *identity: str | int) -> int:
    """Derive the seed of one random stream, 0 <= seed < 2**32, from what it is for and whose it is.

    Equal arguments give equal streams on every platform and in every process; any other argument gives
    an unrelated one. The range is the one that scikit-learn's ``random_state`` takes.
    """
    return int(digest([purpose, *identity])[:8], 16)


def same(one: Any, other: Any) -> bool:
    """Whether two plain values are the same; 1 and 1.0 are, and true is no number."""
    numbers = all(isinstance(value, int | float) and not isinstance(value, bool) for value in (one, other))
    return bool(one == other) if numbers else canonical(one) == canonical(other)


def leaves(plain: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the dotted key and the value of all that is no mapping in nested plain data."""
    for key, value in plain.items():
        if isinstance(value, dict):
            yield from leaves(value, f"{above}{key}.")
        else:
            yield f"{above}{key}", value
