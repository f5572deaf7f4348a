"""Shapes that a single loss does not show: double descent along capacity, generalisation long after fitting."""

from __future__ import annotations

from collections.abc import Sequence

from fitlab.diagnosis.capacity import lines_of, peak_of
from fitlab.diagnosis.gather import Group
from fitlab.diagnosis.judged import Judged, clear, found, idle
from fitlab.diagnosis.naming import counted, interval, name_of, pairs, short, shown
from fitlab.verdicts import Check, Severity, State

LATE = "FIT009"  # the check of single Configs


def double_descent(judged: Judged) -> Check:
    """Look for a loss that rises with capacity and falls again (Belkin et al. 2019), all else being equal."""
    axis = judged.sweep.spec.diagnosis.capacity_axis
    if axis is None:
        return idle("SWP003", "no diagnosis.capacity_axis is declared")
    lines = [(group, line) for group in judged.groups for line in lines_of(group) if len(line) > 2]
    if not lines:
        return idle("SWP003", "it takes three Configs that differ in capacity alone and completed on every seed")
    peaks = [seen for group, line in lines if (seen := _peak(judged, group, line))]
    flagged = sum(decision.double_descent for _, decision in judged.all)
    if not peaks and not flagged:
        return clear("SWP003", f"along {short(axis)} validation loss rises and falls again nowhere by the margin")
    also = f"{counted(flagged, 'Config')} beyond the best capacity fit their training data worse than smaller ones"
    said = "; ".join(
        [*peaks[:3], *([f"{len(peaks) - 3} more lines do"] if len(peaks) > 3 else []), *[also] * (flagged > 0)]
    )
    advice = (
        "A larger model is not a worse one here: look past the peak before a small model is chosen. More "
        "regularisation removes the peak (Nakkiran et al. 2021)."
    )
    return found("SWP003", Severity.WARNING, f"{said}.", advice)


def _peak(judged: Judged, group: Group, line: Sequence[int]) -> str | None:
    """Say where the loss peaks inside a line, if it does for certain."""
    peak = peak_of(group, line, judged.rule.level)
    if peak is None:
        return None
    axis = str(judged.sweep.spec.diagnosis.capacity_axis)
    names = [shown(group.configs[i].swept[axis]) for i in (peak.before, peak.at, peak.after)]
    where = {k: v for k, v in group.configs[peak.at].swept.items() if k != axis}
    return (
        f"{pairs(where) + ': ' if where else ''}from {short(axis)} {names[0]} to {names[1]} validation loss "
        f"rises by {interval(peak.rise)}, and falls again by {interval(peak.fall)} to {names[2]}"
    )


def delayed_generalisation(judged: Judged) -> Check:
    """Look for Configs whose validation loss falls long after their training data are fitted (Power et al. 2022)."""
    by_config = [
        (config, next(one for one in checks if one.code == LATE))
        for group, examined in zip(judged.groups, judged.examined, strict=True)
        for config, checks in zip(group.configs, examined, strict=True)
        if checks
    ]
    late = [(config, one) for config, one in by_config if one.state is State.FOUND]
    if all(one.state is State.NOT_APPLICABLE for _, one in by_config):
        return idle("SWP004", "in no Config did a training loss fall along an epoch axis")
    if not late:
        return clear("SWP004", "no validation loss falls long after its training loss has")
    config, one = late[0]
    said = f"{counted(len(late), 'Config')}, such as {name_of(config)}: {one.said}."
    return found("SWP004", Severity.NOTE, said, one.advice)
