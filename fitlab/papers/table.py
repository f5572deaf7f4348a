"""The table of a sweep for a paper, in LaTeX with booktabs."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

from fitlab.diagnosis.naming import (
    ABSENT,
    broken,
    distinct,
    interval,
    listed,
    number,
    outcomes,
    percent,
    plus_minus,
    short_names,
    shown,
)
from fitlab.diagnosis.selection import best_first
from fitlab.errors import SpecError
from fitlab.escaping import escaped, typeset
from fitlab.papers.described import (
    counted_configurations,
    has_epochs,
    has_intervals,
    loss_name,
    method_name,
    recorded,
    rows_words,
    seeds_words,
    selection_words,
    versions_words,
)
from fitlab.records import Config, Interval
from fitlab.seeds import canonical
from fitlab.spec import domain_of
from fitlab.spec.recorded import NAME
from fitlab.spec.sweeps import Tpe
from fitlab.sweep import CONSTANT, Sweep

Form = Literal["half-width", "bounds"]
HEADS = {"loss/train": "train\nloss", "loss/val": "validation\nloss", "gap/loss": "gap"}
MARK = r"$\star$"
DECIMALS = 4


def latex_table(sweep: Sweep, *, rows: int = 20, intervals: Form = "half-width") -> str:
    r"""Return a table environment for a document with ``\usepackage{booktabs}``; its numbers are ``sweep.table()``'s.

    A row for each Config, the selected one marked, the constant predictor last; train and validation loss and the gap
    as mean ± half-width, or with ``intervals="bounds"`` as mean [low, high]; the verdict. Of more than ``rows`` Configs
    those that are best at the objective, and what became of the others. The caption says n, S, interval, selection
    rule, how many Configs were tried, and versions. All of it is ASCII, whatever the names in the sweep.
    Raises SpecError for a sweep without Configs, fewer than one row, or another form of intervals.
    """
    if not sweep.configs:
        raise SpecError(f"{sweep.spec.name}: there is no Config, and so no table")
    if rows < 1 or intervals not in ("half-width", "bounds"):
        raise SpecError(f"rows is at least 1 and intervals half-width or bounds, got {rows} and {intervals!r}")
    configs = _shown(sweep, rows)
    keys = {**short_names(list(domain_of(sweep.spec))), **({NAME: "configuration"} if recorded(sweep) else {})}
    with_fits = len({outcomes(sweep.of(config)) for config in configs}) > 1
    heads = [*keys.values(), *HEADS.values(), "verdict", *(["Fits"] if with_fits else [])]
    body = [[*_labels(configs, config, keys), *_row(sweep, config, intervals, with_fits)] for config in configs]
    spec = (
        "".join("l" if _text(row[i] for row in body) else "r" for i in range(len(keys)))
        + r"rrr@{\quad}l"
        + "l" * with_fits
    )
    lines = [
        r"\begin{table}",
        r"  \centering",
        rf"  \caption{{{typeset(caption(sweep, intervals, len(configs)))}}}",
        rf"  \label{{tab:{re.sub('[^A-Za-z0-9.:-]+', '-', sweep.spec.name)}}}",
        r"  \smallskip",
        r"  \small\setlength{\tabcolsep}{3pt}",
        r"  \makebox[\linewidth]{%",
        rf"  \begin{{tabular}}{{@{{}}l@{{\,}}{spec}@{{}}}}",
        r"    \toprule",
        *map(_line, _heads(heads)),
        r"    \midrule",
        *(_line(_marked(sweep, config, cells)) for config, cells in zip(configs, body, strict=True)),
        r"    \midrule",
        *(_line(["", *cells]) for cells in _constants(sweep, keys, intervals, with_fits)),
        r"    \bottomrule",
        r"  \end{tabular}}",
        *_note(sweep, configs),
        r"\end{table}",
    ]
    return "\n".join(["% \\usepackage{booktabs}", *lines]) + "\n"


def _line(cells: Sequence[str]) -> str:
    return f"    {' & '.join(cells)} \\\\"


def _heads(names: Sequence[str]) -> list[list[str]]:
    """Return the lines of the head: long names stand in two."""
    halves = [(name if "\n" in name else broken(name)).split("\n") for name in names]
    lines = [[half[-1] if len(half) == 1 else half[1] for half in halves]]
    if any(len(half) > 1 for half in halves):
        lines.insert(0, [half[0] if len(half) > 1 else "" for half in halves])
    return [["", *map(escaped, line)] for line in lines]


def _marked(sweep: Sweep, config: Config, cells: Sequence[str]) -> list[str]:
    """Begin a row: an empty first cell keeps LaTeX from taking ``[2]`` for a distance between rows."""
    chosen = sweep.verdicts.selection
    return [MARK if chosen is not None and chosen.config == config.digest else "", *cells]


# ── which rows ──────────────────────────────────────────────────────────────────────────────────────────────


def _shown(sweep: Sweep, rows: int) -> list[Config]:
    """Return the Configs of the table: of a search the best first, of a survey in its order; of many the best."""
    ranked = best_first(sweep)
    kept, chosen = ranked[:rows], sweep.verdicts.selection
    if chosen is not None and chosen.config not in {config.digest for config in kept}:
        kept = [*kept[:-1], *(config for config in ranked if config.digest == chosen.config)]
    searched = isinstance(sweep.spec.sweep, Tpe)
    return kept if searched else [config for config in sweep.configs if config in {*kept}]


# ── cells ───────────────────────────────────────────────────────────────────────────────────────────────────


def _labels(configs: Sequence[Config], config: Config, keys: Mapping[str, str]) -> list[str]:
    """Return the swept values of a Config, each with as many digits as tell it from the others."""
    written = {key: distinct([one.swept[key] for one in configs if key in one.swept]) for key in keys}
    return [escaped(written[key][canonical(config.swept[key])] if key in config.swept else ABSENT) for key in keys]


def _row(sweep: Sweep, config: Config, form: Form, with_fits: bool) -> list[str]:
    found, verdict = sweep.intervals(config), sweep.verdicts.by_config.get(config.digest)
    said = escaped(verdict.brief if verdict else ABSENT)
    return [*_losses(found, form), said, *([escaped(outcomes(sweep.of(config)))] if with_fits else [])]


def _losses(found: Mapping[str, Interval], form: Form) -> list[str]:
    return [_number(found.get(name), form) for name in HEADS]


def _number(found: Interval | None, form: Form) -> str:
    """Write a mean with its interval as mathematics; a dash where it is not known."""
    if found is None:
        return escaped(ABSENT)
    if not (math.isfinite(found.low) and math.isfinite(found.high)):
        return _maths(number(found.estimate))
    return _maths(plus_minus(found, DECIMALS) if form == "half-width" else interval(found))


def _maths(text: str) -> str:
    for sign, tex in (("−", "-"), ("±", r"\pm"), (" [", r"\ ["), ("∞", r"\infty")):
        text = text.replace(sign, tex)
    return f"${re.sub(r'e([+-]?)0*([0-9]+)', _power, text)}$"


def _power(found: re.Match[str]) -> str:
    sign = "-" if found[1] == "-" else ""
    return rf"\cdot 10^{{{sign}{found[2]}}}"


def _constants(sweep: Sweep, keys: Mapping[str, str], form: Form, with_fits: bool) -> list[list[str]]:
    """Return the rows of the constant predictor, one for each way the data are set up."""
    found = []
    for (swept, null), beside in zip(sweep.constants(), sweep.beside_constants(), strict=True):
        labels = [escaped(shown(swept[key])) if key in swept else "" for key in keys]
        if not swept and keys:
            labels = [rf"\multicolumn{{{len(keys)}}}{{l}}{{{CONSTANT}}}"]
        said = f"{CONSTANT}{': ' * bool(beside)}{beside}" if swept or not keys else beside or ABSENT
        ends = [*_losses(null, form), escaped(said), *([""] if with_fits else [])]
        found.append([*labels, *ends])
    return found


def _text(cells: Iterable[str]) -> bool:
    """Whether a column holds names, which stand on the left."""
    return any(re.search("[A-Za-z]", re.sub(r"\\[A-Za-z]+|[0-9.]e[+-]?[0-9]", "", cell)) for cell in cells)


# ── what is said around it ──────────────────────────────────────────────────────────────────────────────────


def caption(sweep: Sweep, form: Form, rows: int) -> str:
    """Return the caption in plain text: n, S, interval, selection rule, Configs tried, versions."""
    spec = sweep.spec
    half = "± half of" if form == "half-width" else "[low, high] of"
    interval_words = f" {half} the {percent(spec.diagnosis.level)} Student t interval" if has_intervals(sweep) else ""
    end = "" if spec.question.endswith(("?", ".", "!")) else "."
    when = " at the last epoch" if has_epochs(sweep) else ""
    shown_ones = f", of which the {rows} best are shown" if rows < len(sweep.configs) else ""
    parts = [
        f"{spec.question or f'Sweep {spec.name}'}{end}",
        f"{loss_name(sweep)}{when}: mean over {seeds_words(sweep)}{interval_words or ', without intervals'}; "
        "gap: validation minus train loss, within a seed.",
        rows_words(sweep),
        f"{counted_configurations(len(sweep.configs))} {method_name(sweep)}{shown_ones}.",
        "★: selected, the lowest mean validation loss." if sweep.verdicts.selection else "",
        _verdict_words(sweep),
        versions_words(sweep),
    ]
    return " ".join(part for part in parts if part)


def _verdict_words(sweep: Sweep) -> str:
    verdicts = sweep.verdicts.by_config.values()
    if not verdicts:
        return ""
    said = f"Verdicts at a margin of {percent(sweep.spec.diagnosis.margin)} of the constant predictor's loss"
    leaning = any(verdict.leaning for verdict in verdicts)
    return f"{said}{'; a question mark: inconclusive, leaning that way' if leaning else ''}."


def _note(sweep: Sweep, configs: Sequence[Config]) -> list[str]:
    """Return what stands below the table: the selected Config and its test loss, and the Configs that are not shown."""
    chosen, said = sweep.verdicts.selection, []
    if chosen is not None:
        said.append(f"★ {selection_words(sweep)}")
    rest = [config for config in sweep.configs if config not in {*configs}]
    if rest:
        counts = Counter(v.text if (v := sweep.verdicts.by_config.get(c.digest)) else "not diagnosed" for c in rest)
        said.append(f"Not shown: {listed(f'{count} {text}' for text, count in counts.most_common())}.")
    if not said:
        return []
    return [
        r"  \par\smallskip",
        r"  \begin{minipage}{\linewidth}\footnotesize",
        *(f"    {typeset(one)}" for one in said),
        r"  \end{minipage}",
    ]
