"""What the design has and this version has not: refused by name, never silently ignored."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fitlab.errors import Path, Problem

# Refused: a key that holds one of these values; and, below, a key that stands there at all.
_VALUES: tuple[tuple[Path, frozenset[Any], str], ...] = (
    (("sweep", "method"), frozenset({"qmc", "random", "tpe"}), "use method: grid"),
    (("model", "kind"), frozenset({"transformer"}), "use kind: mlp"),
    (("model", "biases"), frozenset({False}), "use biases: true"),
    (("training", "solver"), frozenset({"lbfgs"}), "use solver: adam or sgd"),
)
_KEYS: tuple[tuple[Path, str], ...] = (
    (("sweep", "seed"), "a grid draws nothing: leave it out"),
    (("sweep", "trials"), "a grid trains every point: leave it out"),
    (("sweep", "objective"), "a survey needs none: leave it out"),
    (("sweep", "wave"), "leave it out"),
    (("sweep", "early_terminate"), "a survey never prunes: leave it out"),
    (("expect",), "leave it out"),
)


def refusals(data: dict[str, Any]) -> Iterator[Problem]:
    """Yield a problem for everything in ``data`` that is designed but not built."""
    if isinstance(data.get("model"), list):
        yield Problem(("model",), "a list of models is not available yet", hint="give one model")
    for path, values, hint in _VALUES:
        found, value = _find(data, path)
        if found and isinstance(value, str | bool) and value in values:
            shown = str(value).lower() if isinstance(value, bool) else value
            yield Problem(path, f"{path[-1]}: {shown} is not available yet", hint=hint)
    for path, hint in _KEYS:
        if _find(data, path)[0]:
            yield Problem(path, "not available yet", hint=hint)


def _find(data: Any, path: Path) -> tuple[bool, Any]:
    for key in path:
        if not isinstance(data, dict) or key not in data:
            return False, None
        data = data[key]
    return True, data
