"""From a Sweep to its Verdicts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from fitlab.diagnosis.checks import examined
from fitlab.diagnosis.decisions import Decision, decided
from fitlab.diagnosis.evidence import Rule
from fitlab.diagnosis.facts import weighed_by
from fitlab.diagnosis.gather import Group, groups
from fitlab.diagnosis.judged import Judged, among, whole
from fitlab.diagnosis.naming import name_of, pairs
from fitlab.diagnosis.selection import Choice, TestLosses, choose, selection
from fitlab.diagnosis.steps import moves
from fitlab.diagnosis.whole import beats, checks, constant_words
from fitlab.diagnosis.words import Context, note, selection_words
from fitlab.records import Config, Interval
from fitlab.seeds import canonical
from fitlab.spec.teachers import Teacher
from fitlab.stats import t_interval
from fitlab.sweep import CONSTANT, Sweep
from fitlab.verdicts import Check, Verdict, Verdicts


def rule_of(sweep: Sweep, configs: Sequence[Config] | None = None) -> Rule:
    """Return the rule with the constants that a spec declares. configs: of one group (default: all)."""
    declared = sweep.spec.diagnosis
    overlap = _overlap(sweep, configs or sweep.configs) if declared.corrected_resampling else 0.0
    return Rule(margin=declared.margin, level=declared.level, resplit=overlap)


def _overlap(sweep: Sweep, configs: Sequence[Config]) -> float:
    """Return n_val / n_train, by which re-dealing one data set widens intervals; 0 where seeds draw rows of their own.

    Nadeau and Bengio 2003, equation 7.
    """
    data = configs[0].sections.data
    if isinstance(data, Teacher) and data.fresh:
        return 0.0
    sizes = next((fit.sizes for config in configs for fit in sweep.of(config) if fit.sizes), {})
    return sizes.get("n_val", 0) / sizes["n_train"] if "n_train" in sizes else 0.0


def chosen(sweep: Sweep) -> Config | None:
    """Return the Config that validation chooses: the one whose test losses ``diagnose`` takes. None: see ``choose``."""
    choice = choose(sweep, groups(sweep))
    return None if choice is None else choice.config


def diagnose(sweep: Sweep, test: TestLosses | None = None) -> Verdicts:
    """Return what each Config of a sweep does, what holds for the sweep as a whole, and which Config is chosen.

    Only validation and training loss decide. test: of the Config that ``chosen`` names; reported, never used.
    """
    return told(sweep, groups(sweep), test)


def told(sweep: Sweep, found: Sequence[Group], test: TestLosses | None) -> Verdicts:
    """Return the verdicts of groups of Configs."""
    rule = rule_of(sweep)
    rules = [rule_of(sweep, group.configs) for group in found]
    weighed = [
        (group.candidates, weighed_by(group.candidates, own), own) for group, own in zip(found, rules, strict=True)
    ]
    decisions = tuple(decided(*one) for one in weighed)
    examinations = tuple(examined(*one) for one in weighed)
    choice: Choice | None = choose(sweep, found)
    judged = Judged(sweep, rule, tuple(found), decisions, examinations, selection(sweep, choice, test))
    verdicts = {
        group.configs[i].digest: verdict
        for g, group in enumerate(judged.groups)
        for i, verdict in enumerate(_verdicts(judged, group, decisions[g], examinations[g]))
    }
    ordered = {config.digest: verdicts[config.digest] for config in sweep.configs}
    return Verdicts(ordered, checks(judged), judged.selection)


def _verdicts(
    judged: Judged, group: Group, decisions: Sequence[Decision], seen: Sequence[tuple[Check, ...]]
) -> list[Verdict]:
    """Return the verdicts of one group, each with its note."""
    verdicts = [_verdict(group, decision, checked) for decision, checked in zip(decisions, seen, strict=True)]
    shared = _shared(judged, group)
    return [
        replace(
            verdict,
            unbeaten=bool(shared.unbeaten),
            note=note(verdict, _context(shared, judged, group, i, decisions[i])),
        )
        for i, verdict in enumerate(verdicts)
    ]


def _shared(judged: Judged, group: Group) -> Context:
    """Return what the notes of a group have in common."""
    best, known = whole(group)[:1], bool(np.isfinite(group.null).all())
    accuracy = _accuracy(judged, group, best[0]) if best else None
    simplest = judged.selection.simplest if judged.selection else None
    return Context(
        config="",
        reference="",
        rival="",
        delta=group.margin,
        margin=judged.rule.margin,
        level=judged.rule.level,
        null=t_interval(group.null, judged.rule.level)
        if known
        else Interval(math.nan, math.nan, math.nan, judged.rule.level, 0, ""),
        loss=group.candidates.kind,
        among=len(whole(group)),
        best_accuracy=None if accuracy is None else accuracy.estimate,
        unbeaten=constant_words(judged, group) if known and beats(judged, group) is False else "",
        data=among(judged, group),
        simplest=name_of(group.configs[group.index(simplest)]) if simplest else "",
        power=judged.rule.power,
    )


def _context(shared: Context, judged: Judged, group: Group, i: int, decision: Decision) -> Context:
    """Return what stands around the verdict of one Config."""
    config, chosen_one = group.configs[i], judged.selection
    best = None if decision.reference is None else group.configs[decision.reference]
    selected = chosen_one is not None and chosen_one.config == config.digest
    return replace(
        shared,
        config=name_of(config),
        reference=_name(group, decision.reference),
        rival=_name(group, decision.rival),
        deciding=decision.deciding,
        accuracy=_accuracy(judged, group, i),
        apart=_apart(group, i, decision.reference) if decision.reasons else math.nan,
        best_moves=frozenset() if best is None else moves(judged.sweep, config, best),
        best_differs="" if best is None else _differing(config, best),
        selected=selection_words(chosen_one) if chosen_one is not None and selected else "",
    )


def _apart(group: Group, i: int, reference: int | None) -> float:
    """Return how much higher the mean validation loss of a Config is than that of what it was compared with."""
    other = group.null if reference is None else group.final(reference)
    return float(group.final(i).mean() - other.mean())


def _differing(config: Config, best: Config) -> str:
    """Write the swept values that the best has and a Config has not."""
    own = {key: canonical(value) for key, value in config.swept.items()}
    return pairs({key: value for key, value in best.swept.items() if own.get(key) != canonical(value)})


def _verdict(group: Group, decision: Decision, checks_of_it: tuple[Check, ...]) -> Verdict:
    """Return a decision under the names of the sweep."""
    reference = None if decision.reference is None else group.configs[decision.reference].digest
    return Verdict(
        label=decision.label,
        leaning=decision.leaning,
        reasons=decision.reasons,
        because=decision.because,
        n=decision.n,
        seeds_needed=decision.seeds_needed,
        reference=reference,
        checks=checks_of_it,
        deciding=decision.deciding,
    )


def _name(group: Group, place: int | None) -> str:
    return f"the {CONSTANT}" if place is None else name_of(group.configs[place])


def _accuracy(judged: Judged, group: Group, i: int) -> Interval | None:
    """Return the validation accuracy of a Config at its end; None where it has none under some seed."""
    found = group.candidates.configs[i].accuracy
    if found is None or not np.isfinite(found).all():
        return None
    return t_interval(found[: group.n], judged.rule.level)
