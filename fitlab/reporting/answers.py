"""The answer to the question of a spec in two sentences, from verdicts, selection and expectations alone.

The same sweep gives the same words. Where nothing is known they say so: no Fits, all of them failed, all diverged,
nothing beats the constant predictor, nothing is decided.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby

from fitlab.diagnosis import reason
from fitlab.diagnosis.gather import places
from fitlab.diagnosis.naming import counted, interval, listed, name_of, pairs, percent, short, shown
from fitlab.expectations import Checked, State
from fitlab.records import Config, Outcome
from fitlab.seeds import canonical
from fitlab.spec.sweeps import Tpe
from fitlab.sweep import SEEN, Sweep
from fitlab.verdicts import Label, Selection, Verdict

FITTING = (Label.GOOD, Label.BENIGN)
OPEN = (Label.INCONCLUSIVE, Label.NOT_ASSESSED)
VERBS = {  # label -> of one Config, of several
    Label.GOOD: ("is good", "are good"),
    Label.BENIGN: ("interpolates and is good all the same", "interpolate and are good all the same"),
    Label.UNDERFIT: ("underfits", "underfit"),
    Label.OVERFIT: ("overfits", "overfit"),
    Label.NOT_CONVERGED: ("has not converged", "have not converged"),
    Label.DIVERGED: ("diverged", "diverged"),
    Label.UNSTABLE: ("is unstable", "are unstable"),
    Label.INCONCLUSIVE: ("is not decided", "are not decided"),
    Label.NOT_ASSESSED: ("was not assessed", "were not assessed"),
}
RUNS = 4  # of verdicts along an axis; more are no summary
DIGITS = 4  # of a number in the name of a Config
UNCOMMON = 2  # swept keys that are named as common to all good Configs, at most


def answer(sweep: Sweep, found: Sequence[Checked] = ()) -> str:
    """Return the answer to the question of a sweep: two sentences of plain text.

    found: what ``fitlab.expectations.checked(sweep)`` came to; they answer, too, where a spec expects something.
    """
    return " ".join(sentences(sweep, found))


def sentences(sweep: Sweep, found: Sequence[Checked] = ()) -> tuple[str, str]:
    """Return both sentences: what the Configs do, and which of them to take."""
    verdicts = [sweep.verdicts.by_config[one.digest] for one in sweep.configs if one.digest in sweep.verdicts.by_config]
    assessed = [one for one in verdicts if one.label is not Label.NOT_ASSESSED]
    if not sweep.fits:
        return _nothing_trained(sweep)
    if not verdicts:
        return "The sweep is not diagnosed yet, so there is no answer.", "`fitlab.diagnose(sweep)` gives its verdicts."
    if not assessed:
        return _nothing_assessed(sweep)
    if all(one.label is Label.DIVERGED for one in assessed):
        return _all_diverged(sweep, len(assessed))
    if all(one.unbeaten or one.label is Label.DIVERGED for one in assessed):
        return _nothing_learned(sweep), _and_expected(found, _chosen(sweep))
    return _first(sweep, assessed), _and_expected(found, _chosen(sweep))


# ── where there is no answer ────────────────────────────────────────────────────────────────────────────────


def _nothing_trained(sweep: Sweep) -> tuple[str, str]:
    seeds = counted(len(sweep.spec.seeds.values), "seed")
    first = f"Nothing is trained yet, so there is no answer: {counted(len(sweep.configs), 'Config')} × {seeds}."
    return first, "`fitlab sweep SPEC` trains them."


def _nothing_assessed(sweep: Sweep) -> tuple[str, str]:
    outcomes = Counter(str(fit.outcome) for fit in sweep.fits)
    ends = ", ".join(f"{count} {outcome}" for outcome, count in outcomes.most_common())
    causes = Counter(fit.cause for fit in sweep.fits if fit.cause and fit.outcome is not Outcome.COMPLETED)
    first = f"No Config completed under every seed, so there is no answer: of {counted(len(sweep.fits), 'Fit')} {ends}."
    if not causes:
        return first, "`fitlab status NAME` says how far it is, and `fitlab sweep SPEC` trains what is missing."
    cause, count = causes.most_common(1)[0]
    return first, f"The most frequent cause, {count} ×: {_inside(str(cause))}."


def _inside(text: str) -> str:
    """Return a message as a part of a sentence: its first line, without the full stop."""
    return next(iter(text.splitlines()), "").strip().rstrip(".")


def _all_diverged(sweep: Sweep, count: int) -> tuple[str, str]:
    what = "The one Config" if count == 1 else f"Every one of {counted(count, 'Config')}"
    left = len(sweep.configs) - count
    also = f" ({left} more {'was' if left == 1 else 'were'} not assessed)" if left else ""
    return (
        f"{what} diverged{also}, so there is no answer.",
        "A lower learning rate is the first thing to try, then extreme values in the data.",
    )


def _nothing_learned(sweep: Sweep) -> str:
    what = "The one Config is not" if len(sweep.configs) == 1 else "No Config is"
    return (
        f"{what} better than the constant predictor by what matters ({percent(sweep.spec.diagnosis.margin)} of its "
        "loss), so nothing was learned that could answer the question: look at the data first."
    )


# ── what the Configs do ─────────────────────────────────────────────────────────────────────────────────────


def _first(sweep: Sweep, assessed: Sequence[Verdict]) -> str:
    if len(sweep.configs) == 1:
        return f"The one Config {VERBS[assessed[0].label][0]}{_leaning(assessed[0])}: {_inside(reason(assessed[0]))}."
    if all(one.label is Label.INCONCLUSIVE for one in assessed):
        return _all_open(sweep, assessed)
    along, counts = _along(sweep), _counts(sweep)
    return f"{along}: {counts}." if along else f"{counts[0].upper()}{counts[1:]}."


def _leaning(verdict: Verdict) -> str:
    return f" and leans {_words(verdict.leaning)}" if verdict.leaning else ""


def _words(label: Label | None) -> str:
    return str(label).replace("_", " ")


def _all_open(sweep: Sweep, assessed: Sequence[Verdict]) -> str:
    if all(one.n == 1 for one in assessed):
        why = "one seed" if len(sweep.spec.seeds.values) == 1 else "seeds that change nothing"
        return f"With {why} nothing tells how much losses vary, so none of {len(assessed)} Configs is decided."
    leanings = Counter(_words(one.leaning) for one in assessed if one.leaning)
    lean = listed(f"{count} lean{'s' if count == 1 else ''} {word}" for word, count in leanings.most_common())
    seeds, level = len(sweep.spec.seeds.values), percent(sweep.spec.diagnosis.level)
    return f"None of {len(assessed)} Configs is decided at {level} with {seeds} seeds{f': {lean}' if lean else ''}."


def _counts(sweep: Sweep) -> str:
    """Say how many Configs do what: ``of 36 Configs 20 overfit, 8 are good (all with alpha 1) and 8 underfit``."""
    labels = Counter(sweep.verdicts.by_config[one.digest].label for one in sweep.configs)
    order = sorted(labels, key=lambda label: (label in OPEN, -labels[label], [*Label].index(label)))
    parts = [f"{labels[label]} {_verb(sweep, label, labels[label])}{_common(sweep, label)}" for label in order]
    apart = _data_keys(sweep)
    judged = f"each judged on its own data ({listed(map(short, apart))}), " if apart else ""
    return f"{judged}of {counted(len(sweep.configs), 'Config')} {listed(parts)}{_unbeaten(sweep)}"


def _verb(sweep: Sweep, label: Label, count: int) -> str:
    if label is Label.NOT_ASSESSED:
        left = [one for one in sweep.configs if sweep.verdicts.by_config[one.digest].label is label]
        if all(any(fit.outcome is Outcome.PRUNED for fit in sweep.of(one)) for one in left):
            return "fell behind and was pruned" if count == 1 else "fell behind and were pruned"
    return VERBS[label][count != 1]


def _common(sweep: Sweep, label: Label) -> str:
    """Say which swept values all Configs of a good verdict share and others do not have."""
    if label not in FITTING:
        return ""
    members = [one for one in sweep.configs if sweep.verdicts.by_config[one.digest].label is label]
    if len(members) < 2:
        return ""
    said = [
        f"{short(key)} {shown(value)}"
        for key, value in members[0].swept.items()
        if all(_same(one, key, members[0]) for one in members)
        and any(not _same(one, key, members[0]) for one in sweep.configs)
    ]
    return f" (all with {listed(said)})" if 0 < len(said) <= UNCOMMON else ""


def _same(one: Config, key: str, other: Config) -> bool:
    return key in one.swept and canonical(one.swept[key]) == canonical(other.swept[key])


def _unbeaten(sweep: Sweep) -> str:
    """Say on which data nothing beats the constant predictor, where that is so on some of several."""
    keys = _data_keys(sweep)
    where = [
        pairs({key: one.swept[key] for key in keys if key in one.swept})
        for one in sweep.configs
        if sweep.verdicts.by_config[one.digest].unbeaten
    ]
    return f", and at {listed(dict.fromkeys(where))} nothing beats the constant predictor" if where and keys else ""


def _along(sweep: Sweep) -> str:
    """Say which verdict most Configs have along the axis, small to large; empty where that is no summary."""
    axis = _axis(sweep)
    known = [one for one in sweep.configs if sweep.verdicts.by_config[one.digest].label is not Label.NOT_ASSESSED]
    at = {} if axis is None else places(sweep, known, axis)
    if axis is None or len({*at.values()}) < 2:
        return ""
    columns = [[one for one in known if at.get(one.digest) == place] for place in sorted({*at.values()})]
    runs = [(label, [*found]) for label, found in groupby(columns, lambda column: _majority(sweep, column))]
    if len(runs) > RUNS or all(label is None for label, _ in runs):
        return ""
    many, said = max(map(len, columns)) > 1, list[str]()
    for label, found in runs:
        names = [shown(column[0].swept[axis]) for column in found]
        where = f"at {names[0]}" if len(names) == 1 else f"from {names[0]} to {names[-1]}"
        if not said:
            where = where.replace("at ", f"at {short(axis)} ", 1).replace("from ", f"from {short(axis)} ", 1)
        said.append(f"{_do(label)} {where}{_of_how_many(sweep, label, found) if many else ''}")
    return f"{'Most Configs' if many else 'Configs'} {listed(said)}"


def _axis(sweep: Sweep) -> str | None:
    """Return the axis that an answer goes along: the declared capacity axis, else the only one of several values.

    None of a search: it looks where losses are low, so how many Configs do what along an axis is its doing.
    """
    if isinstance(sweep.spec.sweep, Tpe):
        return None
    if (axis := sweep.spec.diagnosis.capacity_axis) is not None:
        return axis
    values: dict[str, set[str]] = {}
    for config in sweep.configs:
        for key, value in config.swept.items():
            values.setdefault(key, set()).add(canonical(value))
    varied = [key for key, found in values.items() if len(found) > 1]
    numeric = all(isinstance(one.swept.get(key), int | float) for one in sweep.configs for key in varied)
    return varied[0] if len(varied) == 1 and numeric else None


def _majority(sweep: Sweep, configs: Sequence[Config]) -> Label | None:
    """Return the verdict that more than half of some Configs have; None where there is none."""
    label, count = Counter(sweep.verdicts.by_config[one.digest].label for one in configs).most_common(1)[0]
    return label if 2 * count > len(configs) else None


def _do(label: Label | None) -> str:
    return "differ" if label is None else VERBS[label][1]


def _of_how_many(sweep: Sweep, label: Label | None, columns: Sequence[Sequence[Config]]) -> str:
    if label is None:
        return ""
    found = [sweep.verdicts.by_config[one.digest].label for column in columns for one in column]
    return f" ({found.count(label)} of {len(found)})"


# ── which to take ───────────────────────────────────────────────────────────────────────────────────────────


def _data_keys(sweep: Sweep) -> list[str]:
    """Return the swept keys by which Configs are on different data; empty where all are on the same."""
    keys = dict.fromkeys(
        key for one in sweep.configs for key in one.swept if key.startswith("data.") and key not in SEEN
    )
    values = {key: {canonical(one.swept.get(key)) for one in sweep.configs} for key in keys}
    return [key for key in keys if len(values[key]) > 1]


def _chosen(sweep: Sweep) -> str:
    """Say which Config validation selects and what it loses on the test part; or why none is selected."""
    selection = sweep.verdicts.selection
    if selection is not None:
        return _selected(sweep, selection)
    keys = _data_keys(sweep)
    if not keys:
        return "no Config is selected, for none completed under every seed without diverging"
    return f"losses on different data do not compare, so none is selected{_over_data(sweep, keys)}"


def _selected(sweep: Sweep, selection: Selection) -> str:
    config = next(one for one in sweep.configs if one.digest == selection.config)
    at = f" at epoch {selection.epoch}" if selection.epoch is not None else ""
    alone = "it" if len(sweep.configs) == 1 else f"validation selects {_named(config)}{at}, which"
    val = interval(selection.val)
    if selection.test is None:
        return f"{alone} loses {val} on validation; its test loss is not known"
    return f"{alone} loses {interval(selection.test)} on the test part, which chose nothing, and {val} on validation"


def _named(config: Config) -> str:
    """Return what a Config is called, drawn numbers with four digits."""
    rounded = {k: float(f"{v:.{DIGITS}g}") if isinstance(v, float) else v for k, v in config.swept.items()}
    return name_of(replace(config, swept=rounded))


def _over_data(sweep: Sweep, keys: Sequence[str]) -> str:
    """Say the lowest validation loss at both ends of the one data key that is swept."""
    if len(keys) != 1:
        return ""
    found: dict[str, tuple[float, str]] = {}
    for config in sweep.configs:
        if keys[0] in config.swept and "loss/val" in (means := sweep.intervals(config)):
            name, mean = shown(config.swept[keys[0]]), means["loss/val"]
            if mean.estimate < found.get(name, (math.inf, ""))[0]:
                found[name] = mean.estimate, interval(mean)
    if len(found) < 2:
        return ""
    (first, (_, before)), *_, (last, (_, after)) = found.items()
    return f": the lowest validation loss is {before} at {short(keys[0])} {first} and {after} at {last}"


def _and_expected(found: Sequence[Checked], chosen: str) -> str:
    """Put what became of the expectations before what was chosen."""
    said = f"{_expected(found)}; {chosen}" if found else chosen
    return f"{said[0].upper()}{said[1:]}."


def _expected(found: Sequence[Checked]) -> str:
    states, n = Counter(one.state for one in found), len(found)
    failed, left = states[State.FAILED], states[State.NOT_EVALUATED]
    what = "the one expectation of the spec" if n == 1 else f"all {n} expectations of the spec"
    if states[State.PASSED] == n:
        return f"{what} hold{'s' * (n == 1)}"
    if left == n:
        return f"{what} could not be evaluated"
    parts = [f"{states[State.PASSED]} hold", f"{failed} {'does' if failed == 1 else 'do'} not" if failed else ""]
    parts += [f"{left} could not be evaluated" if left else ""]
    return f"of {n} expectations of the spec {listed(part for part in parts if part)}"
