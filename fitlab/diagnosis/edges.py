"""Whether the optimum may lie beyond what was tried."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from fitlab.diagnosis.gather import SIZES, Group, number, places
from fitlab.diagnosis.judged import Judged, among, clear, found, idle, whole
from fitlab.diagnosis.naming import interval, listed, pairs, short, shown
from fitlab.records import Interval
from fitlab.seeds import canonical
from fitlab.spec import domain_of
from fitlab.spec.recorded import CAPACITY, RecordedSpec
from fitlab.spec.sweeps import Grid, Range, Values
from fitlab.sweep import Sweep
from fitlab.verdicts import Check, Severity

NEAR = 0.05  # of a range: as near to its end as this is at its end


@dataclass(frozen=True)
class Edge:
    """A swept key of which the best Config has the last value that was tried."""

    key: str
    value: Any
    end: str  # smallest or largest
    inside: Any  # value of the best Config that has another one
    worse: Interval  # by how much that one is


def at_the_edge(judged: Judged) -> Check:
    """Look whether the best Config has the smallest or largest value that was tried of a swept number or size.

    Where none is better than the constant predictor by the margin the best one says nothing of where to look.
    """
    if not _ordered(judged.sweep):
        return idle("SWP001", "no number or size is swept")
    if not any(whole(group) for group in judged.groups):
        return idle("SWP001", "no Config completed on every seed")
    learned = [group for group in judged.groups if _learned(group)]
    if not learned:
        return idle("SWP001", "nothing is better than the constant predictor by the margin")
    seen = [(group, edge) for group in learned for edge in edges(judged, group)]
    if not seen:
        return clear("SWP001", "the best Config has values on both sides of its own")
    said = ". ".join(f"{among(judged, group)}{_edge_words(edge, group.margin)}" for group, edge in seen)
    steep = [(group, edge) for group, edge in seen if _steep(edge, group.margin)]
    if not steep:
        return found("SWP001", Severity.NOTE, f"{said}.", "The loss no longer falls there by what matters: no need to.")
    steps: dict[str, list[str]] = {}
    for group, edge in steep:
        steps.setdefault(_data(judged, group), []).append(
            f"a {'larger' if edge.end == 'largest' else 'smaller'} {short(edge.key)}"
        )
    tries = "; ".join(f"{listed(words)}{data}" for data, words in steps.items())
    return found("SWP001", Severity.WARNING, f"{said}.", f"Try {tries}{_cost(judged.sweep)}.")


def _learned(group: Group) -> bool:
    """Whether the best one's mean is below the constant predictor's by the margin."""
    ranked = whole(group)
    return bool(ranked) and float(group.null.mean() - group.final(ranked[0]).mean()) > group.margin


def _data(judged: Judged, group: Group) -> str:
    """Say for which data a step is, where there are several."""
    return f" for {pairs(group.swept)}" if len(judged.groups) > 1 else ""


def _cost(sweep: Sweep) -> str:
    """Say that what was trained is kept, where more values leave the others as they are."""
    listed_ones = all(isinstance(domain, Values) for domain in domain_of(sweep.spec).values())
    kept = isinstance(sweep.spec.sweep, Grid) and listed_ones and not isinstance(sweep.spec, RecordedSpec)
    return ": only the new points are trained" if kept else ""


def _steep(edge: Edge, delta: float) -> bool:
    """Whether the loss still falls towards the edge, for certain and by more than the margin."""
    return edge.worse.low > 0 and edge.worse.estimate > delta


def _edge_words(edge: Edge, delta: float) -> str:
    slope = (
        "so the optimum may lie beyond"
        if _steep(edge, delta)
        else "which is less than the margin"
        if edge.worse.low > 0
        else "which is no certain difference"
    )
    text = f"The best Config has the {edge.end} {short(edge.key)} that was tried, {shown(edge.value)}"
    return f"{text}; with {shown(edge.inside)} the loss is higher by {interval(edge.worse)}, {slope}"


def _ordered(sweep: Sweep) -> list[str]:
    """Return the swept keys whose values are numbers or sizes of layers, of the model and its training."""
    seen = []
    axis = sweep.spec.diagnosis.capacity_axis  # of a recorded sweep it is not among what the spec sweeps
    for key in dict.fromkeys([*domain_of(sweep.spec), *([axis] if axis else [])]):
        values = [config.swept[key] for config in sweep.configs if key in config.swept]
        numbers = all(value is None or number(value) for value in values) and any(map(number, values))
        if values and not key.startswith("data.") and (numbers or short(key) == SIZES):
            seen.append(key)
    return seen


def edges(judged: Judged, group: Group) -> Iterator[Edge]:
    """Yield the keys of which the best Config has an outermost value; a value that cannot go further is none."""
    ranked = whole(group)
    for key in _ordered(judged.sweep) if ranked else ():
        order = _order(judged.sweep, group, key)
        having = [i for i in ranked if group.configs[i].digest in order]
        at = {i: order[group.configs[i].digest] for i in having}
        if ranked[0] not in at or len(set(at.values())) < 2:
            continue
        place, value = at[ranked[0]], group.configs[ranked[0]].swept[key]
        low, high = min(order.values()), max(order.values())  # what was pruned or failed there was tried, too
        near = _nearness(domain_of(judged.sweep.spec).get(key), place)
        first, last = min(at.values()), max(at.values())  # of what completed: beyond it nothing did
        smallest = place == low or (place == first and near < NEAR)
        largest = place == high or (place == last and near > 1 - NEAR)
        end = "smallest" if smallest else "largest" if largest else None
        others = [i for i in having if at[i] != place]
        if (
            end is None
            or not others
            or value is None
            or (end == "smallest" and key != CAPACITY and _cannot_shrink(value))
        ):
            continue
        worse = judged.paired(group.final(others[0]), group.final(ranked[0]))
        yield Edge(key, value, end, group.configs[others[0]].swept[key], worse)


def _order(sweep: Sweep, group: Group, key: str) -> Mapping[str, float]:
    """Return the place of each Config along a key, the same for the same value; None, which means no limit, is last."""
    having = {config.digest: config.swept[key] for config in group.configs if key in config.swept}
    if short(key) != SIZES:
        return {digest: math.inf if value is None else float(value) for digest, value in having.items()}
    found, least = places(sweep, group.configs, key), dict[str, float]()
    for digest, value in having.items():  # other swept keys, such as model.biases, change the count of parameters, too
        least[canonical(value)] = min(found[digest], least.get(canonical(value), math.inf))
    return {digest: least[canonical(value)] for digest, value in having.items()}


def _nearness(domain: Any, place: float) -> float:
    """Return where a number lies in its range, 0 at low and 1 at high; in the middle where there is no range."""
    if not isinstance(domain, Range):
        return 0.5
    low, high, at = (math.log(x) if domain.log else x for x in (domain.low, domain.high, place))
    return (at - low) / (high - low)


def _cannot_shrink(value: Any) -> bool:
    """Whether nothing smaller makes sense: 0, a count of 1, no hidden layer."""
    return value in ([], [1]) if isinstance(value, list) else value <= 0 or (isinstance(value, int) and value == 1)
