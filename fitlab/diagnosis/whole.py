"""What is found about a Sweep as a whole: each check looks for one thing and says what it came to."""

from __future__ import annotations

import math
from collections import Counter
from statistics import median

import numpy as np

from fitlab.diagnosis.edges import at_the_edge
from fitlab.diagnosis.gather import Group
from fitlab.diagnosis.judged import Judged, among, clear, found, idle, whole
from fitlab.diagnosis.naming import counted, interval, listed, name_of, number, percent, short, turned
from fitlab.diagnosis.reference import shares
from fitlab.diagnosis.rerun import with_seeds
from fitlab.diagnosis.shapes import delayed_generalisation, double_descent
from fitlab.records import Interval
from fitlab.spec.recorded import RecordedData, RecordedSpec
from fitlab.spec.teachers import Teacher
from fitlab.verdicts import Check, Label, Severity

FEW = 5  # seeds that decide most things
AFFORDABLE = 4, 20  # times the seeds that there are, or seeds: what needs more than either is as good as tied
DEAL_ANEW = "Let seeds vary the split: seeds: {count: 5, vary: [split, init, order]}."
NONE_SOUND = "no Config completed on every seed without diverging"


def checks(judged: Judged) -> tuple[Check, ...]:
    """Return every check of a sweep, in the order of codes."""
    return (
        at_the_edge(judged),
        nothing_beats_the_constant(judged),
        double_descent(judged),
        delayed_generalisation(judged),
        too_few_seeds(judged),
        one_data_set(judged),
        optimism(judged),
        not_assessed(judged),
        mixed_versions(judged),
        seeds_change_nothing(judged),
        several_data_sets(judged),
        one_config(judged),
    )


# ── the constant predictor ────────────────────────────────────────────────────────────────────────────────────


def gain_over_constant(judged: Judged, group: Group) -> Interval | None:
    """Return how much lower than the constant predictor's the validation loss of the best sound Config is.

    For each seed the best one is that which the other seeds find best: the best of many Configs that have all learned
    nothing is lower by luck alone (in .23 of 40 sweeps of noise with 19 Configs and 5 seeds that re-deal the rows; so
    it is in .15, for seeds that share their rows share their luck; with fresh rows in none).
    None where no Config is sound. With one seed the best is picked on that seed, and there are no bounds.
    """
    ranked = whole(group)
    if not ranked:
        return None
    vals = np.stack([group.final(i) for i in ranked])  # (R, n)
    best = shares(vals, group.margin)  # (n, R)
    return judged.paired(group.null, (best.T * vals).sum(axis=0))


def beats(judged: Judged, group: Group) -> bool | None:
    """Whether some Config is better than the constant predictor, for certain and by more than the margin.

    None where it is not known: no Config is sound, or there is one value alone.
    """
    gain = gain_over_constant(judged, group)
    if gain is None or gain.n == 1:
        return None
    return gain.estimate > group.margin and gain.low > 0


def nothing_beats_the_constant(judged: Judged) -> Check:
    """Look whether any Config predicts better than saying the same thing of every row."""
    beaten = [beats(judged, group) for group in judged.groups]
    if all(one is None for one in beaten):
        any_sound = any(group.sound for group in judged.groups)
        why = "one value a Config: the best of several may be lower by luck" if any_sound else NONE_SOUND
        return idle("SWP002", why)
    beaten_by = [group for group, one in zip(judged.groups, beaten, strict=True) if one is False]
    if not beaten_by:
        return clear("SWP002", "some Config is better than the constant predictor by more than the margin")
    said = [f"{among(judged, group)}{constant_words(judged, group)}" for group in beaten_by]
    advice = (
        "Verdicts compare Configs that have all learned nothing. Look at the data first: are features and labels "
        "those of the same rows, is there any signal, are there enough rows?"
    )
    return found("SWP002", Severity.PROBLEM, " ".join(said), advice)


def constant_words(judged: Judged, group: Group) -> str:
    """Say how the best Config stands to the constant predictor."""
    gain = gain_over_constant(judged, group)
    if gain is None:
        return ""
    best, lower = name_of(group.configs[whole(group)[0]]), gain.estimate >= 0
    return (
        f"the validation loss of the best Config (over all seeds {best}; for each seed the one that the others find "
        f"best) is {'lower' if lower else 'higher'} by {interval(gain if lower else turned(gain))}; "
        f"{number(group.margin)} lower would matter."
    )


# ── seeds and data ────────────────────────────────────────────────────────────────────────────────────────────


def too_few_seeds(judged: Judged) -> Check:
    """Look for verdicts that more seeds would decide."""
    seeds = len(judged.sweep.spec.seeds.values)
    assessed = [one for _, one in judged.all if one.label is not Label.NOT_ASSESSED]
    open_ones = [one for one in assessed if one.label is Label.INCONCLUSIVE]
    if not assessed:
        return idle("SWP005", "no Config was assessed")
    if all(group.n == 1 for group in judged.groups):
        said = f"{counted(seeds, 'seed')}, one value: a spread cannot be told from it, so nothing can be decided."
        advice = with_seeds(judged.sweep, FEW) if seeds == 1 else DEAL_ANEW
        return found("SWP005", Severity.PROBLEM, said, advice)
    if not open_ones:
        return clear("SWP005", f"{seeds} seeds decided every Config")
    within = max(AFFORDABLE[0] * seeds, AFFORDABLE[1])
    needed = sorted(one.seeds_needed for one in open_ones if one.seeds_needed and one.seeds_needed <= within)
    are = "is" if len(open_ones) == 1 else "are"
    said = f"{len(open_ones)} of {counted(len(assessed), 'Config')} {are} inconclusive with {seeds} seeds"
    if not needed:
        why = f"so near the margin that {within} seeds would not decide them: they are as good as tied"
        return found("SWP005", Severity.NOTE, f"{said}.", f"Leave it at that: they lie {why}.")
    half = math.ceil(median(needed))
    said += f". At {percent(judged.rule.power)} power {half} seeds would decide "
    said += "it" if len(needed) == 1 else f"half of them, {needed[-1]} all {len(needed)} that can be decided"
    beyond = len(open_ones) - len(needed)
    said += f"; {beyond} would stay open with {within}: as good as tied." if beyond else "."
    return found("SWP005", Severity.NOTE, said, with_seeds(judged.sweep, half))


def one_data_set(judged: Judged) -> Check:
    """Say whether the seeds are fresh draws of the data, or deals of the same rows."""
    sections = [group.configs[0].sections.data for group in judged.groups]
    if any(isinstance(data, RecordedData) for data in sections):
        return idle("SWP006", "how the seeds of a recorded sweep differ is not known")
    if all(isinstance(data, Teacher) and data.fresh for data in sections):
        return idle("SWP006", "every seed draws rows of its own")
    if "split" not in judged.sweep.spec.seeds.vary:
        said = "All seeds have the same split: intervals tell how training varies, not what other rows would give."
        return found(
            "SWP006",
            Severity.WARNING,
            said,
            "Let seeds vary the split, too: seeds: {count: 5, vary: [split, init, order]}.",
        )
    dealt = "The seeds deal the rows of one data set anew, so their training parts overlap"
    if judged.sweep.spec.diagnosis.corrected_resampling:
        said = f"{dealt}; the intervals behind verdicts are widened for it (Nadeau and Bengio 2003)."
        return clear("SWP006", said)
    said = f"{dealt}: intervals are somewhat narrow, and what is said holds for these rows."
    advice = (
        "Near the margin a confident good is then wrong in about 9 % of cases instead of 5 %, and more seeds do not "
        "help: say so where you report it, collect a second data set, or widen the intervals "
        "(`-o diagnosis.corrected_resampling=true`; nothing is trained again)."
    )
    return found("SWP006", Severity.NOTE, said, advice)


def optimism(judged: Judged) -> Check:
    """Say by how much the validation loss of the selected Config flatters it."""
    chosen = judged.selection
    if chosen is None:
        why = "Configs on different data are not chosen among" if len(judged.groups) > 1 else "nothing was selected"
        return idle("SWP007", why)
    if chosen.epoch is not None:
        return idle("SWP007", f"it was selected at epoch {chosen.epoch}, and test losses are of the last one")
    if chosen.optimism is None:
        return idle("SWP007", "the test losses of the selected Config are not at hand")
    said = (
        f"chosen among {counted(chosen.among, 'Config')} by validation, it loses {interval(chosen.optimism)} more on "
        "the test part"
    )
    if not chosen.optimism.low > 0:
        return clear("SWP007", f"{said}: no certain difference.")
    return found(
        "SWP007", Severity.NOTE, f"{said}.", "Report the test loss, not the validation loss by which it was chosen."
    )


def not_assessed(judged: Judged) -> Check:
    """Count the Configs about which nothing can be said."""
    left = [decision for _, decision in judged.all if decision.label is Label.NOT_ASSESSED]
    if not left:
        return clear("SWP008", "every Config was assessed")
    why = Counter(decision.because for decision in left).most_common(3)
    words = "; ".join(f"{count} because {because}" for because, count in why)
    said = f"{len(left)} of {counted(len(judged.sweep.configs), 'Config')}: {words}."
    why_failed = "" if isinstance(judged.sweep.spec, RecordedSpec) else "; `fitlab status NAME` says why Fits failed"
    advice = f"A pruned Config fell behind, which is not a verdict{why_failed}."
    return found("SWP008", Severity.NOTE, said, advice)


def mixed_versions(judged: Judged) -> Check:
    """Look for Fits that other versions of a library trained."""
    seen = judged.sweep.mixed_versions()
    if not seen:
        known = any(fit.provenance for fit in judged.sweep.fits)
        return clear("SWP009") if known else idle("SWP009", "the Fits do not say which versions trained them")
    said = "; ".join(f"{name} {listed(versions)}" for name, versions in seen.items())
    advice = (
        "Differences between Configs may be differences between versions: train all of them with one, in a fresh store."
    )
    return found("SWP009", Severity.WARNING, f"These Fits were trained with more than one version: {said}.", advice)


def seeds_change_nothing(judged: Judged) -> Check:
    """Look for Configs whose seeds all gave the same numbers."""
    if len(judged.sweep.spec.seeds.values) < 2:
        return idle("SWP010", "one seed")
    alike = judged.sweep.same_under_every_seed()
    if not alike:
        return clear("SWP010")
    of = "every Config" if len(alike) == len(judged.sweep.configs) else counted(len(alike), "Config")
    said = f"All seeds gave the same numbers in {of}: they are one value, said several times, and have no interval."
    return found("SWP010", Severity.WARNING, said, DEAL_ANEW)


def several_data_sets(judged: Judged) -> Check:
    """Say that Configs on different data are judged apart."""
    if len(judged.groups) < 2:
        return clear("SWP011", "all Configs are trained on data that are set up alike")
    keys = listed(short(key) for key in judged.groups[0].swept)
    said = (
        f"{keys} changes the data, so that losses do not compare: {len(judged.groups)} groups of Configs are judged "
        "each within itself, and none is selected among all."
    )
    return found(
        "SWP011", Severity.NOTE, said, "Compare the groups by their constant predictors, the last rows of the table."
    )


def one_config(judged: Judged) -> Check:
    """Say that a Config without others is judged against the constant predictor alone."""
    alone = [group for group in judged.groups if len(group.sound) == 1]
    if not alone:
        return clear("SWP012")
    said = (
        "No other Config on the same data completed without diverging, so the constant predictor is all that it is "
        "compared with: good then means no worse than that."
    )
    return found(
        "SWP012",
        Severity.WARNING,
        said,
        "Sweep a size, a penalty or the number of epochs, a smaller and a larger value.",
    )
