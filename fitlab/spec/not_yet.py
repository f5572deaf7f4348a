"""What the design has and this version has not, and what stands where it means nothing: refused by name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fitlab.errors import Path, Problem

# Refused: a key that holds one of these values.
_VALUES: tuple[tuple[Path, frozenset[str], str], ...] = (
    (("model", "kind"), frozenset({"transformer"}), "use kind: mlp"),
)
# Keys of the sweep section that only some methods have: key, methods, why the others have not.
_METHODS: tuple[tuple[str, frozenset[str], str], ...] = (
    ("seed", frozenset({"qmc", "random", "tpe"}), "a grid draws nothing"),
    ("trials", frozenset({"qmc", "random", "tpe"}), "a grid trains every point"),
    ("wave", frozenset({"tpe"}), "only a search runs in waves"),
    ("early_terminate", frozenset({"tpe"}), "a survey maps the landscape and gives nothing up"),
)


def refusals(data: dict[str, Any]) -> Iterator[Problem]:
    """Yield a problem for everything in ``data`` that is designed but not built."""
    for path, values, hint in _VALUES:
        found, value = _find(data, path)
        if found and isinstance(value, str) and value in values:
            yield Problem(path, f"{path[-1]}: {value} is not available yet", hint=hint)


def misplaced(data: dict[str, Any]) -> Iterator[Problem]:
    """Yield a problem for every key of the sweep section that its method does not have."""
    sweep = data.get("sweep")
    if not isinstance(sweep, dict):
        return  # the grammar says so
    method = sweep.get("method", "grid")
    for key, methods, why in _METHODS:
        if key in sweep and method in ("grid", "qmc", "random", "tpe") and method not in methods:
            yield Problem(("sweep", key), why, f"method: {method}", f"method: {' or '.join(sorted(methods))}")


def _find(data: Any, path: Path) -> tuple[bool, Any]:
    for key in path:
        if not isinstance(data, dict) or key not in data:
            return False, None
        data = data[key]
    return True, data
