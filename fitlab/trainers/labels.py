"""Parameters that speak of labels: users write the labels of the data, estimators are trained on codes 0..K-1.

K classes. Keys of a spec are text, so a label is known by its text, or as the number that the text says.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from sklearn.dummy import DummyClassifier
from sklearn.model_selection import FixedThresholdClassifier, TunedThresholdClassifierCV
from sklearn.multiclass import OneVsOneClassifier, OneVsRestClassifier, OutputCodeClassifier
from sklearn.neighbors import RadiusNeighborsClassifier

from fitlab.errors import Path, Problem
from fitlab.records import Array
from fitlab.spec.grammar import did_you_mean

WEIGHTS = ("class_weight", "class_weights", "sampling_strategy")  # label -> weight, or rows
GRIDS = ("param_grid", "param_distributions")  # parameter -> values of it
SINGLE = {  # a parameter that is a label, and whose
    "constant": (DummyClassifier,),
    "pos_label": (FixedThresholdClassifier, TunedThresholdClassifierCV),
    "outlier_label": (RadiusNeighborsClassifier,),
}
WORDS = ("balanced", "balanced_subsample", "most_frequent")  # that stand for no label
RECODING = (OneVsRestClassifier, OneVsOneClassifier, OutputCodeClassifier)  # what is within is told 0 and 1
AT: Path = ("model", "parameters")
MAX_SHOWN = 10
Code = Callable[[Any], Any]  # label -> code


def coded(estimator: Any, classes: Array) -> Any:
    """Return an estimator, changed in place, with the codes of the labels that its parameters name.

    classes: (K,) the labels behind the codes; empty for regression. Raises KeyError for labels that there are not.
    """
    codes = _codes(classes)

    def code(label: Any) -> int:
        return codes[_known(label, codes)]

    found = {key: _translated(key, value, code) for key, value in _speaking(estimator)}
    return estimator.set_params(**found) if found and len(classes) else estimator


def problems(estimator: Any, classes: Array) -> Iterator[Problem]:
    """Yield the labels in parameters that the data do not have, and those that stand there twice."""
    if not len(classes):
        return
    codes = _codes(classes)
    allowed = ", ".join(map(str, classes[:MAX_SHOWN])) + (" …" if len(classes) > MAX_SHOWN else "")
    for key, value in _speaking(estimator):
        labels: list[Any] = []
        _translated(key, value, labels.append)
        for label in dict.fromkeys(map(str, labels)):
            if _known(label, codes) not in codes:
                yield Problem((*AT, key), "no such label in the target", label, allowed, did_you_mean(label, codes))
        known = [_known(label, codes) for label in value] if isinstance(value, dict) and not _is(key, GRIDS) else []
        for label in sorted({label for label in known if known.count(label) > 1}):
            yield Problem((*AT, key), "the same label twice", label, "each label once")


def _speaking(estimator: Any) -> Iterator[tuple[str, Any]]:
    """Yield the parameters that name labels, with their values; not of binary learners within, which see 0 and 1."""
    own = estimator.get_params(deep=True)
    for key, value in own.items():
        above = key.rpartition("__")[0]
        owner = own.get(above) if above else estimator
        if value is None or (isinstance(value, str) and value in WORDS) or _is_recoded(estimator, own, key):
            continue
        if _is(key, WEIGHTS) or _is(key, GRIDS) or isinstance(owner, SINGLE.get(_last(key), ())):
            yield key, value


def _is_recoded(estimator: Any, own: Mapping[str, Any], key: str) -> bool:
    """Whether a parameter is of a learner within one that recodes labels; a grid is about the learner within."""
    steps = key.split("__")[:-1]
    owners = [estimator, *(own.get("__".join(steps[: i + 1])) for i in range(len(steps)))]
    above = [*owners[:-1], owners[-1].estimator] if _is(key, GRIDS) else owners[:-1]
    return any(isinstance(owner, RECODING) for owner in above)


def _translated(key: str, value: Any, code: Code) -> Any:
    """Return a value with every label replaced by what ``code`` says of it."""
    if value is None or (isinstance(value, str) and value in WORDS):
        return value
    if _is(key, GRIDS):
        grids = value if isinstance(value, list) else [value]
        found = [{name: _of_grid(name, tried, code) for name, tried in grid.items()} for grid in grids]
        return found if isinstance(value, list) else found[0]
    if _is(key, WEIGHTS):
        return {code(label): weight for label, weight in value.items()} if isinstance(value, dict) else value
    return [code(label) for label in value] if isinstance(value, list | tuple) else code(value)


def _of_grid(name: str, tried: Any, code: Code) -> Any:
    speaks = _is(name, WEIGHTS) or _last(name) in SINGLE
    return [_translated(name, value, code) for value in tried] if speaks and isinstance(tried, list) else tried


def _codes(classes: Array) -> dict[str, int]:
    return {str(label): code for code, label in enumerate(classes)}


def _known(label: Any, codes: Mapping[str, int]) -> str:
    """Return the text of the label that is meant: itself, true for True, or the same number."""
    text = str(label)
    if text in codes:
        return text
    return next(
        (known for known in codes if known.lower() == text.lower() in ("true", "false")), _as_number(text, codes)
    )


def _as_number(text: str, codes: Mapping[str, int]) -> str:
    number = _number(text)
    return text if number is None else next((known for known in codes if _number(known) == number), text)


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _last(key: str) -> str:
    return key.rpartition("__")[2]


def _is(key: str, names: tuple[str, ...]) -> bool:
    return _last(key) in names
