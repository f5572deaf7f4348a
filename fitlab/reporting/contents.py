"""What a report says, as records: the page, the Markdown and the tables are written from the same ones."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from fitlab.diagnosis import reason
from fitlab.diagnosis.gather import kind_of_loss
from fitlab.diagnosis.naming import (
    ABSENT,
    counted,
    distinct,
    interval,
    listed,
    name_of,
    outcomes,
    percent,
    short_names,
    shown,
)
from fitlab.diagnosis.words import selection_words
from fitlab.expectations import Checked, checked
from fitlab.papers import methods_paragraph
from fitlab.plots.shared import GLYPHS
from fitlab.records import Config, Interval, Provenance
from fitlab.reporting.answers import sentences
from fitlab.reporting.logged import Logged
from fitlab.seeds import canonical, digest
from fitlab.spec import domain_of
from fitlab.spec.recorded import RecordedData
from fitlab.spec.sweeps import Tpe
from fitlab.sweep import CONSTANT, Sweep
from fitlab.verdicts import Check, Label, State, Verdict

HEADS = {"loss/train": "train loss", "loss/val": "validation loss", "gap/loss": "gap"}
MARKS = {"o": "●", "s": "■", "^": "▲", "D": "◆", "v": "▼", "*": "★", "P": "✚", "X": "✖", "p": "○"}
SHOWN_DATA = 3  # fingerprints that are written
MOST_OPEN = 40  # Configs that are not decided of which each has a row
MANY_SEEDS = 20  # of more only the ends are written


@dataclass(frozen=True)
class Cell:
    """What stands in a cell of the table, and what it is sorted by (NaN: last)."""

    text: str
    bounds: str = ""
    key: float = math.nan
    full: str = ""  # with all digits, where the text has fewer


@dataclass(frozen=True)
class Row:
    """A Config in the table, or the constant predictor."""

    swept: tuple[Cell, ...]
    numbers: tuple[Cell, ...]
    config: str = ""  # its digest; empty: the constant predictor
    label: str = ""  # of its verdict
    leaning: str = ""
    mark: str = ""  # a glyph for the verdict, which reads without colour
    verdict: str = ""
    why: str = ""
    order: int = 99  # of the verdict among verdicts
    selected: bool = False
    run: str = ""  # address of its run

    @property
    def said(self) -> tuple[str, str]:
        """The verdict, and which way it leans."""
        verdict, _, leaning = self.verdict.partition(", ")
        return verdict, leaning


@dataclass(frozen=True)
class Table:
    """The verdict table."""

    keys: tuple[str, ...]  # heads of the swept values
    metrics: tuple[str, ...]  # and of the numbers
    rows: tuple[Row, ...]
    legend: str


@dataclass(frozen=True)
class Open:
    """A Config that is not decided."""

    name: str
    verdict: str
    seeds: str  # that would decide it
    why: str


@dataclass(frozen=True)
class Finding:
    """What a check found, of the sweep or of some of its Configs."""

    code: str
    title: str
    severity: str
    said: str
    advice: str


@dataclass(frozen=True)
class Contents:
    """What a report says."""

    name: str
    question: str
    answer: tuple[str, str]
    table: Table
    selected: tuple[tuple[str, str], ...]  # head, words
    selection: str  # in words
    expectations: tuple[Checked, ...]
    undecided: tuple[Open, ...]
    undecided_left: int  # more of them than are listed
    undecided_words: str
    findings: tuple[Finding, ...]
    not_found: str
    provenance: tuple[tuple[str, str], ...]
    methods: str  # a paragraph for a paper
    spec: str  # its source text, or as JSON
    logged: Logged | None
    runs: tuple[tuple[str, str, str], ...]  # Config, run id, its address


def contents_of(sweep: Sweep, source: str | None = None, logged: Logged | None = None) -> Contents:
    """Return what a report of a Sweep says. source: the text of its spec file, where there is one.

    Raises StoreError where weights are gone that an expectation is about.
    """
    found, undecided = checked(sweep), _undecided(sweep)
    checks = sweep.verdicts.checks
    resolved = json.dumps(sweep.spec.model_dump(mode="json", exclude_unset=True), indent=1, ensure_ascii=False)
    return Contents(
        name=sweep.spec.name,
        question=sweep.spec.question,
        answer=sentences(sweep, found),
        table=_table(sweep, logged),
        selected=tuple(_selected(sweep)),
        selection=_selection(sweep),
        expectations=found,
        undecided=tuple(undecided[:MOST_OPEN]),
        undecided_left=max(0, len(undecided) - MOST_OPEN),
        undecided_words=next((_said(one) for one in checks if one.code == "SWP005" and one.state is State.FOUND), ""),
        findings=(*_findings(sweep), *_config_findings(sweep)),
        not_found=_not_found(checks),
        provenance=tuple(_provenance(sweep, logged)),
        methods=methods_paragraph(sweep, style="plain").strip() if sweep.configs else "",
        spec=source or resolved,
        logged=logged,
        runs=tuple(_runs(sweep, logged)),
    )


# ── the table ───────────────────────────────────────────────────────────────────────────────────────────────


def _table(sweep: Sweep, logged: Logged | None) -> Table:
    """Return the verdict table. Its numbers are those of ``sweep.table()``, to the digits that are shown."""
    keys = short_names([*domain_of(sweep.spec)])
    texts = {key: distinct([one.swept[key] for one in sweep.configs if key in one.swept]) for key in keys}
    metrics = [*HEADS, *(("accuracy/val",) if "accuracy/val" in sweep.metrics else ())]
    heads = (*(HEADS.get(one, "validation accuracy") for one in metrics), "seeds")
    rows = [_row(sweep, config, [*_swept(config.swept, keys, texts)], metrics) for config in sweep.configs]
    rows = (
        [replace(row, run=logged.page(one)) for row, one in zip(rows, sweep.configs, strict=True)] if logged else rows
    )
    for (swept, null), beside in zip(sweep.constants(), sweep.beside_constants(), strict=True):
        numbers = (*(_number(null.get(one)) for one in metrics), Cell(""))
        rows.append(Row(tuple(_swept(swept, keys, texts)), numbers, verdict=CONSTANT, why=beside))
    level = percent(sweep.spec.diagnosis.level)
    legend = (
        f"Mean over seeds [{level} Student-t interval], last epoch; gap: validation minus train loss, within seeds. "
        f"Loss: {kind_of_loss(sweep).replace('_', ' ') or 'as recorded'}, without the penalty. The last "
        f"row{'s are' if len(sweep.constants()) > 1 else ' is'} the constant predictor."
    )
    return Table(tuple(keys.values()), heads, tuple(rows), legend)


def _row(sweep: Sweep, config: Config, swept: Sequence[Cell], metrics: Sequence[str]) -> Row:
    means, verdict = sweep.intervals(config), sweep.verdicts.by_config.get(config.digest)
    cells = tuple(swept)
    numbers = (*(_number(means.get(one)) for one in metrics), _outcomes(sweep, config))
    if verdict is None:
        return Row(cells, numbers, config.digest, verdict="not diagnosed")
    selection = sweep.verdicts.selection
    return Row(
        cells,
        numbers,
        config.digest,
        str(verdict.label),
        str(verdict.leaning or ""),
        MARKS.get(GLYPHS[verdict.label], "●"),
        verdict.text,
        reason(verdict),
        [*Label].index(verdict.label),
        selection is not None and selection.config == config.digest,
    )


def _swept(swept: Mapping[str, Any], keys: Mapping[str, str], texts: Mapping[str, Mapping[str, str]]) -> Iterator[Cell]:
    """Yield the swept values: drawn numbers with as many digits as tell them apart."""
    for key in keys:
        if key not in swept:
            yield Cell(ABSENT)
        else:
            full = shown(swept[key])
            text = texts[key].get(canonical(swept[key]), full)
            yield Cell(text, key=_sortable(swept[key]), full=full if full != text else "")


def _sortable(value: Any) -> float:
    """Return a number that puts values in order: of a list of numbers their sum; NaN: they go by text."""
    if isinstance(value, bool):
        return float(value)
    if isinstance(value, int | float):
        return float(value)
    if isinstance(value, list | tuple) and all(isinstance(one, int | float) for one in value):
        return float(sum(value))
    return math.nan


def _number(found: Interval | None) -> Cell:
    if found is None:
        return Cell(ABSENT)
    estimate, _, bounds = interval(found).partition(" ")
    return Cell(estimate, bounds, found.estimate)


def _outcomes(sweep: Sweep, config: Config) -> Cell:
    return Cell(outcomes(sweep.of(config)), key=float(len(sweep.completed(config))))


# ── what was selected, and what is open ─────────────────────────────────────────────────────────────────────


def _selection(sweep: Sweep) -> str:
    found = sweep.verdicts.selection
    return "" if found is None else f"T{selection_words(found).removeprefix('**Selected**: t')}"


def _selected(sweep: Sweep) -> Iterator[tuple[str, str]]:
    found, named = sweep.verdicts.selection, {one.digest: one for one in sweep.configs}
    if found is None:
        return
    config = named[found.config]
    verdict = sweep.verdicts.by_config[config.digest]
    yield "Config", name_of(config)
    yield "verdict", f"{verdict.text}: {reason(verdict)}"
    yield "validation loss", interval(found.val)
    yield "test loss", "not known" if found.test is None else f"{interval(found.test)} ({found.test.method})"
    if found.optimism is not None:
        yield "optimism (test − validation)", interval(found.optimism)
    for name, one in sweep.intervals(config).items():
        if not name.startswith(("loss/", "gap/")):
            yield name, interval(one)
    if found.simplest not in (None, found.config):
        yield "smallest within one standard error", name_of(named[str(found.simplest)])
    yield "chosen among", counted(found.among, "completed Config")


def _undecided(sweep: Sweep) -> list[Open]:
    """Return the Configs that are not decided, those first that the fewest seeds would decide."""
    known = [(config, sweep.verdicts.by_config.get(config.digest)) for config in sweep.configs]
    found = [(config, one) for config, one in known if one is not None and one.label is Label.INCONCLUSIVE]
    found.sort(key=lambda pair: pair[1].seeds_needed or math.inf)
    return [Open(name_of(config), one.text, str(one.seeds_needed or ABSENT), _why_open(one)) for config, one in found]


def _why_open(verdict: Verdict) -> str:
    """Return the reason without the seeds, which have a column."""
    return reason(verdict).partition(f"; {verdict.seeds_needed} seeds would decide it")[0]


# ── what checks found ───────────────────────────────────────────────────────────────────────────────────────


def _said(check: Check) -> str:
    return f"{check.said[:1].upper()}{check.said[1:]}{'' if check.said.endswith('.') else '.'}"


def _findings(sweep: Sweep) -> Iterator[Finding]:
    for one in sweep.verdicts.checks:
        if one.state is State.FOUND:
            yield Finding(one.code, one.title, str(one.severity), _said(one), one.advice)


def _config_findings(sweep: Sweep) -> Iterator[Finding]:
    """Yield, for each code, in how many Configs it was found and of which, with the first one's numbers."""
    found: dict[str, list[tuple[Config, Check]]] = {}
    for config in sweep.configs:
        verdict = sweep.verdicts.by_config.get(config.digest)
        for one in verdict.checks if verdict else ():
            if one.state is State.FOUND:
                found.setdefault(one.code, []).append((config, one))
    for code in sorted(found):
        (config, first), *_ = cases = found[code]
        such = "such as " if len(cases) > 1 else ""
        said = f"{counted(len(cases), 'Config')}, {such}{name_of(config)}: {_said(first)}"
        yield Finding(code, first.title, str(first.severity), said, first.advice)


def _not_found(checks: Sequence[Check]) -> str:
    titles = [one.title for one in checks if one.state is State.CLEAR]
    return f"Looked for and not found: {', '.join(titles)}." if titles else ""


# ── where it is from ────────────────────────────────────────────────────────────────────────────────────────


def _provenance(sweep: Sweep, logged: Logged | None) -> Iterator[tuple[str, str]]:
    spec, seeds = sweep.spec, sweep.spec.seeds
    outcomes = Counter(str(fit.outcome) for fit in sweep.fits)
    ends = ", ".join(f"{count} {outcome}" for outcome, count in outcomes.items()) or "none yet"
    yield "sweep", f"{spec.name}, spec {digest(spec.model_dump(mode='json'))[:12]}"
    yield "Configs and Fits", f"{counted(len(sweep.configs), 'Config')}; {counted(len(sweep.fits), 'Fit')}: {ends}"
    elsewhere = isinstance(spec.data, RecordedData)
    varies = "" if elsewhere else f"; a seed varies {listed(seeds.vary)}"
    yield "seeds", f"{_numbers(seeds.values)}{varies}"
    yield "method", "recorded elsewhere" if elsewhere else _method(sweep)
    margin, level = percent(spec.diagnosis.margin), percent(spec.diagnosis.level)
    yield "verdicts", f"margin {margin} of the constant predictor's loss, level {level}"
    yield from () if elsewhere else _data(sweep)
    yield from _made([fit.provenance for fit in sweep.fits if fit.provenance])
    if logged is not None:
        yield "MLflow", f"experiment {logged.experiment} {logged.where}, {counted(len(logged.runs), 'run')} of Configs"


def _runs(sweep: Sweep, logged: Logged | None) -> Iterator[tuple[str, str, str]]:
    for config in sweep.configs if logged else ():
        if logged and config.digest in logged.runs:
            yield name_of(config), logged.runs[config.digest], logged.page(config)


def _numbers(values: Sequence[int]) -> str:
    """Write seeds: all of them, or of many the first and the last."""
    if len(values) <= MANY_SEEDS:
        return ", ".join(map(str, values))
    return f"{len(values)}, from {values[0]} to {values[-1]}"


def _method(sweep: Sweep) -> str:
    match sweep.spec.sweep:
        case Tpe(early_terminate=None):
            return "tpe, a search: it looks where losses are low"
        case Tpe():
            return "tpe, a search: it looks where losses are low, and prunes"
        case survey:
            return f"{survey.method}, a survey: nothing is pruned"


def _data(sweep: Sweep) -> Iterator[tuple[str, str]]:
    prints = dict.fromkeys(fit.job.fingerprint for fit in sweep.fits if fit.job.fingerprint)
    sizes = next((fit.sizes for fit in sweep.fits if fit.sizes), {})
    rows = ", ".join(f"{sizes[f'n_{part}']} {part}" for part in ("train", "val", "test") if f"n_{part}" in sizes)
    if prints:
        names = ", ".join(one[:12] for one in [*prints][:SHOWN_DATA])
        more = f" and {len(prints) - SHOWN_DATA} more" if len(prints) > SHOWN_DATA else ""
        yield "data", f"{sweep.spec.data.kind}, fingerprint {names}{more}{f'; rows: {rows}' if rows else ''}"
    trainers = dict.fromkeys(fit.job.trainer for fit in sweep.fits)
    if any(trainers):
        yield "trainers", ", ".join(trainers)


def _made(found: Sequence[Provenance]) -> Iterator[tuple[str, str]]:
    """Yield when, where and with what Fits were made."""
    if not found:
        return
    start, end = min(one.started_ms for one in found), max(one.ended_ms for one in found)
    yield (
        "trained",
        f"{_moment(start)} to {_moment(end)} UTC; {_seconds(sum(one.seconds for one in found))} of training",
    )
    versions: dict[str, dict[str, None]] = {}
    for one in found:
        for name, version in one.versions.items():
            versions.setdefault(name, {})[version] = None
    yield "versions", ", ".join(f"{name} {' and '.join(versions[name])}" for name in sorted(versions))
    commits = dict.fromkeys(f"{one.commit[:12]}{' with changes' if one.dirty else ''}" for one in found if one.commit)
    if commits:
        yield "commit", ", ".join(commits)
    yield "platform", ", ".join(dict.fromkeys(one.platform for one in found))


def _moment(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%d %H:%M")


def _seconds(total: float) -> str:
    return f"{total:.1f} s" if total < 60 else f"{total / 60:.1f} min" if total < 3600 else f"{total / 3600:.1f} h"
