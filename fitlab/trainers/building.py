"""From an estimator section to scikit-learn's object, every name and value of its parameters checked.

Names are checked against ``get_params``; values by scikit-learn's own constraints, the ones that ``fit`` checks first.
They are private (``_parameter_constraints``), and the only ones: an estimator without them is checked by its ``fit``.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import lru_cache
from inspect import Parameter, signature
from itertools import count
from typing import Any

from sklearn.base import clone
from sklearn.pipeline import Pipeline
from sklearn.utils import get_tags
from sklearn.utils._param_validation import InvalidParameterError, validate_parameter_constraints

from fitlab.errors import Path, Problem, SpecError
from fitlab.records import Array
from fitlab.seeds import canonical
from fitlab.spec.grammar import did_you_mean
from fitlab.spec.models import Estimator
from fitlab.trainers import hazards, importing, labels

MISSPELT = 0.8  # likeness of two names, of 1
KEPT = 4096  # built estimators, unfitted: a few kB each


@dataclass(frozen=True)
class Built:
    """An unfitted estimator, or what is wrong with it."""

    estimator: Any
    problems: tuple[Problem, ...]


@dataclass(frozen=True)
class _Found:
    """What building goes by, and what it found to be wrong."""

    packages: frozenset[str] | None
    problems: list[Problem]


def prototype(model: Estimator) -> Any:
    """Return the unfitted estimator of a section, shared by all who ask: clone it before changing anything.

    Raises SpecError for a section that ``problems`` refuses. What it names is imported.
    """
    built = _built(_text(model), None)
    if built.problems:
        raise SpecError(built.problems)
    return built.estimator


def problems(model: Estimator, packages: frozenset[str]) -> Iterator[Problem]:
    """Yield what is wrong with names, parameters and steps; nothing outside ``packages`` is imported."""
    yield from _built(_text(model), packages).problems


def seeded(model: Estimator, random_state: int, classes: Array) -> Any:
    """Return the estimator, its own to the caller, with ``random_state`` wherever the user has set none.

    classes: (K,) the labels of the data; parameters that name them get their codes.
    """
    estimator = labels.coded(clone(prototype(model)), classes)
    unset = [key for key, value in estimator.get_params(deep=True).items() if _is_seed(key) and value is None]
    return estimator.set_params(**dict.fromkeys(unset, random_state)) if unset else estimator


def _is_seed(key: str) -> bool:
    return key.rpartition("__")[2] == "random_state"


def _text(model: Estimator) -> str:
    return canonical(model.model_dump(mode="json", include={"estimator", "parameters"}))


@lru_cache(maxsize=KEPT)
def _built(text: str, packages: frozenset[str] | None) -> Built:
    """Build from canonical JSON. packages: what may be imported from; None: what was checked before."""
    found = _Found(packages, [])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a deprecated class warns again when it is made for training
        estimator = _make(json.loads(text), ("model",), found)
    if estimator is not None and not found.problems:
        found.problems.extend(_kind_problems(estimator))
    return Built(estimator, tuple(found.problems))


def _make(section: Mapping[str, Any], at: Path, found: _Found) -> Any:
    """Return the estimator of a section or of a mapping within; what is wrong is noted in ``found``."""
    shape = list(_shape_problems(section, at))
    if shape:
        found.problems.extend(shape)
        return None
    names, inside = section["estimator"], (*at, "parameters")
    several = isinstance(names, list)
    places = [(*at, "estimator", i) for i in range(len(names))] if several else [(*at, "estimator")]
    kinds = [_resolved(name, place, found) for name, place in zip(names if several else [names], places, strict=True)]
    given = {key: _value(value, (*inside, key), found) for key, value in section.get("parameters", {}).items()}
    if found.problems or not all(kinds):
        return None
    estimator: Any
    if several:
        steps = _step_names(kinds)
        own = [{k.removeprefix(f"{s}__"): v for k, v in given.items() if k.startswith(f"{s}__")} for s in steps]
        made = [_instance(kind, values, inside, found) for kind, values in zip(kinds, own, strict=True)]
        estimator = None if None in made else Pipeline(list(zip(steps, made, strict=True)))
    else:
        estimator = _instance(kinds[0], given, inside, found)
    if estimator is not None:
        _set(estimator, given, inside, found)
    return estimator


def _shape_problems(section: Mapping[str, Any], at: Path) -> Iterator[Problem]:
    names = section["estimator"]
    listed = names if isinstance(names, list) and names else [names]
    if not all(isinstance(name, str) for name in listed):
        yield Problem((*at, "estimator"), "not an import name", canonical(names), "an import name, or a list of them")
    if not isinstance(section.get("parameters", {}), dict):
        yield Problem((*at, "parameters"), "not allowed", canonical(section["parameters"]), "a mapping")
    for key in section.keys() - {"estimator", "parameters"}:
        yield Problem((*at, key), "unknown key", allowed="estimator, parameters")


def _resolved(name: str, at: Path, found: _Found) -> Any:
    refused = None if found.packages is None else importing.refused(name, at, found.packages)
    if refused is not None:
        found.problems.append(refused)
        return None
    try:
        return importing.resolve(name)
    except SpecError as error:
        found.problems.extend(replace(one, path=at) for one in error.problems)
        return None


def _step_names(kinds: Sequence[type[Any]]) -> list[str]:
    """Return the names that make_pipeline gives: the class in lower case, numbered where it occurs twice."""
    lower = [kind.__name__.lower() for kind in kinds]
    numbers = {name: count(1) for name in lower}
    return [name if lower.count(name) == 1 else f"{name}-{next(numbers[name])}" for name in lower]


def _value(value: Any, at: Path, found: _Found) -> Any:
    """Return a value as scikit-learn takes it: estimators built, and what JSON cannot say restored.

    A list [name, estimator] becomes a tuple, as scikit-learn writes it; keys that are whole numbers become int
    (JSON has text keys only). Labels stay as they are written: ``labels`` makes codes of them.
    """
    if isinstance(value, list):
        items = [_value(item, (*at, i), found) for i, item in enumerate(value)]
        paired = len(items) > 1 and isinstance(value[0], str) and importing.is_estimator(value[1])
        return tuple(items) if paired else items
    if importing.is_estimator(value):
        return _make(value, at, found)
    if isinstance(value, dict):
        return {_whole(key): _value(item, (*at, key), found) for key, item in value.items()}
    return value


def _whole(key: str) -> int | str:
    return int(key) if key.isdecimal() and str(int(key)) == key else key


def _instance(kind: type[Any], given: Mapping[str, Any], at: Path, found: _Found) -> Any:
    """Return an instance with the parameters that have no default, and no others yet."""
    variable = (Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD)
    asked = [p for p in signature(kind).parameters.values() if p.default is p.empty and p.kind not in variable]
    missing = [p.name for p in asked if p.name not in given]
    if missing:
        found.problems.append(Problem(at, f"{kind.__name__} needs {', '.join(missing)}"))
        return None
    try:
        return kind(**{p.name: given[p.name] for p in asked})
    except Exception as error:  # whatever the code of another package raises
        found.problems.append(Problem(at, f"{kind.__name__} cannot be made: {type(error).__name__}: {error}"))
        return None


def _set(estimator: Any, given: Mapping[str, Any], at: Path, found: _Found) -> None:
    """Set the parameters, those of estimators within after these estimators, and check each."""
    for key in sorted(given, key=lambda key: key.count("__")):
        names = estimator.get_params(deep=True)
        if key not in names and not _takes_more(estimator, key, names):
            found.problems.append(_unknown(key, names, at))
            continue
        try:
            estimator.set_params(**{key: given[key]})
        except Exception as error:  # whatever the code of another package raises
            found.problems.append(Problem((*at, key), f"{type(error).__name__}: {error}", _shown(given[key])))
            continue
        found.problems.extend(_value_problems(estimator, key, given[key], (*at, key)))


def _takes_more(estimator: Any, key: str, names: Mapping[str, Any]) -> bool:
    """Whether a parameter that is not among its names is one of those that a class takes by ``**``.

    Gradient boosting of other packages does. What is nearly one of the names is taken for a misspelling.
    """
    open_ended = any(p.kind is p.VAR_KEYWORD for p in signature(type(estimator)).parameters.values())
    return open_ended and "__" not in key and not get_close_matches(key, names, cutoff=MISSPELT)


def _unknown(key: str, names: Mapping[str, Any], at: Path) -> Problem:
    above, nested, _ = key.rpartition("__")
    beside = [name for name in names if name.rpartition("__")[0] == above]
    if nested and above in names and not beside:
        hint = f"it has no parameters to set: give {above}: {{estimator: …}}"
    else:
        hint = did_you_mean(key, names) or ""
    return Problem((*at, key), "no such parameter", None, ", ".join(beside) or None, hint or None)


def _value_problems(estimator: Any, key: str, value: Any, at: Path) -> Iterator[Problem]:
    """Yield what scikit-learn says of a value; a list where it wants a tuple becomes one."""
    above, _, name = key.rpartition("__")
    if name == "random_state" and value is None:
        yield Problem(
            at, "random_state: null is another draw every time", hint="leave it out: the seed of the job sets it"
        )
    owner = estimator.get_params(deep=True)[above] if above else estimator
    yield from hazards.problems(owner, name, value, at)
    said = _objection(owner, name, value)
    if said and isinstance(value, list) and not _objection(owner, name, tuple(value)):
        owner.set_params(**{name: tuple(value)})
    elif said:
        yield Problem(at, said, _shown(value))


def _objection(owner: Any, name: str, value: Any) -> str | None:
    constraints = getattr(owner, "_parameter_constraints", {})
    if not isinstance(constraints, dict) or name not in constraints:
        return None
    try:
        validate_parameter_constraints({name: constraints[name]}, {name: value}, type(owner).__name__)
    except InvalidParameterError as error:
        return str(error)
    return None


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else repr(value)


def _kind_problems(estimator: Any) -> Iterator[Problem]:
    """Yield what keeps a built estimator from predicting a target."""
    at: Path = ("model", "estimator")
    name = type(estimator).__name__
    if isinstance(estimator, Pipeline):
        for i, (step, one) in enumerate(estimator.steps[:-1]):
            if not callable(getattr(one, "transform", None)) and one not in (None, "passthrough"):
                yield Problem(
                    (*at, i), f"step {step} transforms nothing: only the last may predict", type(one).__name__
                )
        yield from hazards.step_problems(estimator)
        name = type(estimator.steps[-1][1]).__name__
    kind, transforms = kind_of(estimator), callable(getattr(estimator, "transform", None))
    if not callable(getattr(estimator, "fit", None)) or kind not in ("classifier", "regressor"):
        given = f"{name}, a {kind or 'transformer'}" if kind or transforms else name
        hint = "make it a step before one that predicts" if transforms else None
        yield Problem(at, "it predicts no target", given, "a classifier or a regressor", hint)


def kind_of(estimator: Any) -> str | None:
    """Return what an estimator says it is: classifier, regressor, clusterer …"""
    try:
        kind: str | None = get_tags(estimator).estimator_type
    except Exception:  # an estimator of another package without tags
        kind = getattr(estimator, "_estimator_type", None)
    return kind
