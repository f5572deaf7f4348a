"""From an import name to an estimator's class. Importing executes: only packages that were allowed are touched."""

from __future__ import annotations

import pkgutil
import warnings
from functools import cache
from importlib import import_module
from itertools import takewhile
from types import ModuleType
from typing import Any

from fitlab.errors import Path, Problem, SpecError
from fitlab.spec.grammar import did_you_mean

DEFAULT = frozenset({"sklearn", "fitlab.estimators"})


def is_estimator(value: Any) -> bool:
    """Whether a value of a parameter stands for an estimator: a mapping with the key ``estimator``."""
    return isinstance(value, dict) and "estimator" in value


def refused(name: str, at: Path, packages: frozenset[str]) -> Problem | None:
    """Return why ``name`` may not be imported, having imported nothing; None where it may."""
    parts = name.split(".")
    if not all(part.isidentifier() for part in parts):
        return Problem(at, "not an import name", name, "package.module.Class", _anywhere(parts[-1]))
    if any(part.startswith("_") for part in parts):
        return Problem(at, "a private name", name, "names without a leading underscore", _anywhere(parts[-1]))
    if len(parts) == 1:
        return Problem(at, "an import name without its package", name, "package.module.Class", _anywhere(name))
    if not any(name.startswith(f"{package}.") for package in packages):
        hint = f"`--allow {parts[0]}` allows it (importing a package runs its code)"
        near = did_you_mean(parts[0], packages)
        return Problem(
            at,
            "a package that is not allowed",
            name,
            ", ".join(sorted(packages)),
            f"{near} or {hint}" if near else hint,
        )
    return None


@cache
def resolve(name: str) -> type[Any]:
    """Import the class behind a name that is allowed.

    Raises SpecError, its problem without a path: no such module or class, or not an estimator.
    """
    module_name, _, class_name = name.rpartition(".")
    found = _attribute(module_name, class_name, name)
    if found is None:
        public = [one for one in dir(_module(module_name, name)) if not one.startswith("_")]
        hint = _anywhere(class_name, exact=True) or did_you_mean(class_name, public) or _anywhere(class_name)
        raise _error(f"{module_name} has no {class_name}", name, hint)
    if not isinstance(found, type):
        raise _error("not a class", name, None)
    if not all(callable(getattr(found, method, None)) for method in ("get_params", "set_params")):
        raise _error("not an estimator: it has no get_params and set_params", name, None)
    return found


def _attribute(module_name: str, class_name: str, name: str) -> Any:
    module = _module(module_name, name)
    try:
        return getattr(module, class_name, None)
    except Exception as error:  # a module may import on demand, or refuse: what scikit-learn calls experimental
        said = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise _error(f"{class_name} cannot be imported: {said}", name, None) from None


def _module(module_name: str, name: str) -> ModuleType:
    try:
        return import_module(module_name)
    except ModuleNotFoundError as error:
        missing = error.name or ""
        if not (module_name == missing or module_name.startswith(f"{missing}.")):
            raise _error(f"{module_name} cannot be imported: {error}", name, None) from None
        raise _error(f"no module {missing}", name, _near_module(missing, name)) from None
    except Exception as error:  # whatever the code of another package raises
        raise _error(f"{module_name} cannot be imported: {type(error).__name__}: {error}", name, None) from None


def _near_module(missing: str, name: str) -> str | None:
    """Return the hint for a missing module: where the class is, a sibling of that name, or what to install."""
    above, _, last = missing.rpartition(".")
    if not above:
        return f"is {missing} installed in this environment?"
    siblings = [one.name for one in pkgutil.iter_modules(getattr(import_module(above), "__path__", []))]
    near = did_you_mean(last, [one for one in siblings if not one.startswith("_")])
    return _anywhere(name.rpartition(".")[2], exact=True) or near


def _error(message: str, name: str, hint: str | None) -> SpecError:
    return SpecError([Problem((), message, name, hint=hint)])


def _anywhere(class_name: str, exact: bool = False) -> str | None:
    """Return the hint for a class of scikit-learn that was looked for in another place."""
    known = _known()
    if class_name in known:
        return f"did you mean {known[class_name]}?"
    near = None if exact else did_you_mean(class_name, known)
    return near.replace(near.split()[-1].rstrip("?"), known[near.split()[-1].rstrip("?")]) if near else None


@cache
def _known() -> dict[str, str]:
    """Return class name -> import name of every estimator of scikit-learn; slow, so only for hints."""
    from sklearn.utils import all_estimators  # imports all of scikit-learn

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about modules that are on their way out
        found = all_estimators()
    return {name: _public(kind.__module__, name) for name, kind in found}


def _public(module: str, class_name: str) -> str:
    return ".".join([*takewhile(lambda part: not part.startswith("_"), module.split(".")), class_name])
