"""A paragraph on methods, with the numbers of a sweep filled in. What is not known is said, or left out."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from importlib.metadata import version
from typing import Literal

from fitlab.diagnosis.naming import listed, number, percent
from fitlab.diagnosis.sweeps import rule_of
from fitlab.errors import SpecError
from fitlab.escaping import typeset
from fitlab.papers.described import (
    VARIES,
    data_words,
    has_epochs,
    has_intervals,
    loss_name,
    model_words,
    recorded,
    search_words,
    seeds_words,
    selection_words,
    versions_words,
)
from fitlab.records import Outcome
from fitlab.spec.teachers import Teacher
from fitlab.sweep import Sweep

Style = Literal["latex", "plain"]


def methods_paragraph(sweep: Sweep, *, style: Style = "latex") -> str:
    """Return a paragraph for a methods section: as LaTeX, ASCII alone, or as plain text, which Markdown takes as it is.

    Data, models and training, which Configs were tried and how they were found, seeds and what they vary, losses and
    intervals, the rule of verdicts, how a Config was selected and what its test loss is, versions.
    Raises SpecError for a sweep without Configs, or another style.
    """
    if not sweep.configs:
        raise SpecError(f"{sweep.spec.name}: there is no Config, and so no method")
    if style not in ("latex", "plain"):
        raise SpecError(f"style is latex or plain, got {style!r}")
    text = " ".join(sentence for sentence in _sentences(sweep) if sentence)
    return f"{typeset(text) if style == 'latex' else text}\n"


def _sentences(sweep: Sweep) -> Iterator[str]:
    yield from data_words(sweep)
    yield from model_words(sweep)
    yield from search_words(sweep)
    yield from _seeds(sweep)
    yield _outcomes(sweep)
    yield from _losses(sweep)
    yield from _rule(sweep)
    yield selection_words(sweep)
    yield _versions(sweep)


# ── seeds and Fits ──────────────────────────────────────────────────────────────────────────────────────────


def _seeds(sweep: Sweep) -> Iterator[str]:
    seeds = sweep.spec.seeds
    which = ", ".join(map(str, seeds.values)) if len(seeds.values) <= 10 else f"{seeds.values[0]} to {seeds.values[-1]}"
    if recorded(sweep):
        yield f"There are {seeds_words(sweep)} ({which}); what they vary is not known here."
        return
    sets = listed(VARIES[one] for one in seeds.vary)
    yield (
        f"Every configuration was trained under {seeds_words(sweep)} ({which}). A seed sets {sets}, alike for all of "
        "them; differences between configurations are paired within seeds."
    )
    fresh = all(isinstance(c.sections.data, Teacher) and c.sections.data.fresh for c in sweep.configs)
    if "split" in seeds.vary and not fresh:
        yield "Seeds deal the rows of one data set anew, so that intervals are conditional on it."


def _outcomes(sweep: Sweep) -> str:
    """Say what became of the Fits; a missing one is not a failed one."""
    total = len(sweep.configs) * len(sweep.spec.seeds.values)
    counts = Counter(fit.outcome for fit in sweep.fits)
    missing = total - len(sweep.fits)
    if counts[Outcome.COMPLETED] == total:
        return f"All {total} trainings completed." if total > 1 else "The one training completed."
    words = {Outcome.PRUNED: "were given up"}
    said = [f"{counts[one]} {words.get(one, one)}" for one in Outcome if counts[one]]
    said += [f"{missing} are missing"] if missing else []
    return (
        f"Of {total} trainings {listed(said)}; means and intervals are over the completed ones, and a configuration of "
        "which some failed, were given up or are missing was neither assessed nor selected."
    )


# ── losses, verdicts, selection ─────────────────────────────────────────────────────────────────────────────


def _losses(sweep: Sweep) -> Iterator[str]:
    kinds = dict.fromkeys(fit.loss for fit in sweep.fits if fit.loss)
    clipped = next((f" ({kind.partition(', ')[2]})" for kind in kinds if ", " in kind), "")
    name = f"The loss is {_lower(loss_name(sweep))}"
    if recorded(sweep):
        yield (
            f"{name}, as it was recorded; that it was measured after the epoch, without a penalty, and on training and "
            "validation rows alike is taken for granted."
        )
    else:
        when = "after the last epoch, " if has_epochs(sweep) else ""
        yield f"{name}{clipped}, measured {when}without the penalty, alike on training and validation rows."
    level = percent(sweep.spec.diagnosis.level)
    if not has_intervals(sweep):
        several = len(sweep.spec.seeds.values) > 1
        yield "All seeds gave the same numbers: there are no intervals." if several else NO_INTERVALS
        return
    yield (
        f"Intervals are Student t over seeds at level {level}; those behind verdicts have variances moderated over the "
        f"sweep ({rule_of(sweep).prior_df:g} prior degrees of freedom)."
    )
    if sweep.spec.diagnosis.corrected_resampling:
        yield "They are widened for re-dealing one data set (Nadeau and Bengio 2003)."


def _rule(sweep: Sweep) -> Iterator[str]:
    nulls = [null["loss/val"].estimate for _, null in sweep.constants() if "loss/val" in null]
    margin = sweep.spec.diagnosis.margin
    deltas = sorted({number(margin * null) for null in nulls if math.isfinite(null)})
    delta = (
        f" δ = {deltas[0]}" if len(deltas) == 1 else f" δ ({' to '.join((deltas[0], deltas[-1]))})" if deltas else ""
    )
    before = "" if recorded(sweep) else ", declared before the sweep"
    yield (
        f"A difference in loss matters from{delta or ' a margin'} on, {percent(margin)} of the mean validation loss of "
        f"the constant predictor{before}."
    )
    if not sweep.verdicts.by_config:
        yield "No verdicts were made."
        return
    yield RULE.format(version=version("fitlab"))


NO_INTERVALS = "With one seed there are no intervals."
RULE = (
    "Verdicts follow the rule of fitlab {version}: a configuration is good if it is for sure no worse by δ than every "
    "other one and the constant predictor (an intersection–union test, Berger 1982); it underfits, overfits or has not "
    "converged if it is for sure worse by δ than what the other seeds find best, and its curves say for sure why (its "
    "training loss against the mean of training and validation loss of the best, its loss at earlier epochs, its "
    "slope); else it is inconclusive."
)


def _versions(sweep: Sweep) -> str:
    commits = sorted({fit.provenance.commit[:10] for fit in sweep.fits if fit.provenance and fit.provenance.commit})
    dirty = any(fit.provenance and fit.provenance.dirty for fit in sweep.fits)
    changed = ", with changes that are not committed" if dirty else ""
    code = f" The code was at commit {listed(commits)}{changed}." if commits else ""
    return f"{versions_words(sweep)}{code}"


def _lower(text: str) -> str:
    return f"{text[0].lower()}{text[1:]}"
