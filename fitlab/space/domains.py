"""One swept key: which values it takes, the same under every sampler, and how Optuna sees them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution

from fitlab.seeds import canonical
from fitlab.spec import takes
from fitlab.spec.sweeps import Range, Values

Domain = Values | Range


def integer(key: str, domain: Range) -> bool:
    """Whether a range holds whole numbers: what the key takes decides; where it takes both, how it is written."""
    types = takes(key)
    return "integer" in types and ("number" not in types or domain.whole)


def choices(key: str, domain: Domain) -> Sequence[Any] | None:
    """Return every value of a domain in the order of a grid; None for a range of all numbers between its ends."""
    if isinstance(domain, Values):
        return domain.values
    whole = integer(key, domain)
    if domain.points is not None:
        return grid_values(domain, whole)
    return range(int(domain.low), int(domain.high) + 1) if whole else None


def grid_values(domain: Range, whole: bool) -> list[int] | list[float]:
    """Return the points of a range, both ends included, rounded to 12 significant digits (or to whole numbers)."""
    low, high = domain.low, domain.high
    if domain.points is None:
        return list(range(int(low), int(high) + 1))
    steps = [i / (domain.points - 1) for i in range(1, domain.points - 1)]
    inner = [low ** (1 - step) * high**step if domain.log else low + (high - low) * step for step in steps]
    if whole:
        return sorted({int(low), *(round(value) for value in inner), int(high)})
    return [float(low), *(float(f"{value:.12g}") for value in inner), float(high)]


def at(key: str, domain: Domain, share: float) -> Any:
    """Return the value at ``share`` (0 ≤ share < 1) of a domain: values get equal shares, ranges their length."""
    values = choices(key, domain)
    spread = isinstance(domain, Range) and domain.log and domain.points is None
    if values is not None and not spread:
        return values[min(int(share * len(values)), len(values) - 1)]
    assert isinstance(domain, Range)  # noqa: S101 (for the type checker: values are never without choices)
    low, high = domain.low, domain.high + (values is not None)  # whole numbers: each owns the stretch above it
    value = low ** (1 - share) * high**share if domain.log else low + (high - low) * share
    return snapped(key, domain, value if values is None else math.floor(value))


def snapped(key: str, domain: Domain, value: Any) -> Any:
    """Return the value of a domain that is nearest to what a sampler drew: one of its points, or 12 digits of it."""
    if isinstance(domain, Values):
        return value
    if domain.points is not None:
        scale = math.log if domain.log else float
        return min(grid_values(domain, integer(key, domain)), key=lambda one: abs(scale(one) - scale(value)))
    if integer(key, domain):
        return min(max(int(value), int(domain.low)), int(domain.high))
    return min(max(float(f"{value:.12g}"), float(domain.low)), float(domain.high))


# ── Optuna's view ───────────────────────────────────────────────────────────────────────────────────────────


def distribution(key: str, domain: Domain) -> BaseDistribution:
    """Return Optuna's distribution of a domain; the same under every sampler."""
    if isinstance(domain, Values):
        return CategoricalDistribution(tuple(dict.fromkeys(encoded(domain))))
    if integer(key, domain):
        return IntDistribution(int(domain.low), int(domain.high), log=domain.log)
    return FloatDistribution(float(domain.low), float(domain.high), log=domain.log)


def encoded(domain: Values) -> list[Any]:
    """Write values as Optuna takes them: plain scalars as they are, lists and mappings as canonical JSON.

    All of them as JSON where Optuna could not tell two apart: 1, 1.0 and true are equal in Python.
    """
    plain = [value if _is_scalar(value) else canonical(value) for value in domain.values]
    if len(set(plain)) == len({canonical(value) for value in domain.values}):
        return plain
    return [canonical(value) for value in domain.values]


def _is_scalar(value: Any) -> bool:
    return value is None or isinstance(value, bool | int | float | str)


def to_optuna(domain: Domain, value: Any) -> Any:
    """Write a value of a domain as Optuna takes it."""
    if isinstance(domain, Range):
        return value
    wanted = canonical(value)
    return next(e for e, v in zip(encoded(domain), domain.values, strict=True) if canonical(v) == wanted)


def from_optuna(domain: Domain, value: Any) -> Any:
    """Read a value as Optuna gave it."""
    return domain.values[encoded(domain).index(value)] if isinstance(domain, Values) else value
