"""The table of a sweep: a row per Config, intervals, and train and validation loss on one axis."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from fitlab.diagnosis.naming import name_of, shown
from fitlab.diagnosis.naming import short as end_of
from fitlab.diagnosis.selection import objective_words
from fitlab.records import Config, Fit, Interval, Outcome
from fitlab.seeds import canonical
from fitlab.spec import domain_of
from fitlab.spec.sweeps import Tpe
from fitlab.sweep import CONSTANT, Sweep, score
from fitlab.verdicts import Label, Verdict

ABSENT = "–"  # a parameter that does not exist for a Config
HEADS = {"loss/train": "train loss", "loss/val": "validation\nloss", "gap/loss": "gap"}
COLOURS = {  # of verdicts: beside the word, never instead of it
    Label.GOOD: "green",
    Label.BENIGN: "green",
    Label.UNDERFIT: "cyan",
    Label.OVERFIT: "red",
    Label.NOT_CONVERGED: "yellow",
    Label.DIVERGED: "magenta",
    Label.UNSTABLE: "magenta",
    Label.INCONCLUSIVE: "dim",
    Label.NOT_ASSESSED: "dim",
}
SHOWN = 40  # Configs of a search
STRIP = 30  # characters of the strip of losses
DECADES = 2  # below the constant predictor that the strip shows


def sweep_table(sweep: Sweep, to: Console) -> Table:
    """Return a row per Config: swept values, losses and gap as mean ± half-width, a strip of losses, outcomes.

    Where the console is narrow the strip is left out, then a decimal and blanks, then the gap.
    """
    losses = ("loss/train", "loss/val", "gap/loss")
    layouts = ((_Strips(sweep), 4, losses), (None, 4, losses), (None, 3, losses), (None, 3, losses[:2]))
    tables = [_sweep_table(sweep, *layout) for layout in layouts]
    unbounded = Console(width=10_000)
    return next((table for table in tables if unbounded.measure(table).maximum <= to.width), tables[-1])


def _sweep_table(sweep: Sweep, strips: _Strips | None, decimals: int, losses: Sequence[str]) -> Table:
    keys = short_names(list(domain_of(sweep.spec)))
    table = Table(box=None, padding=(0, 1), pad_edge=False, collapse_padding=decimals < 4, header_style="bold")
    for short in keys.values() or ("",):
        table.add_column(broken(short), justify="right", no_wrap=True)
    for name in losses:
        table.add_column(HEADS[name], justify="right", no_wrap=True)
    if strips:
        table.add_column("● train ○ validation\n┊ constant predictor", no_wrap=True)
    table.add_column("verdict", no_wrap=True)
    table.add_column("Fits", no_wrap=True)

    def row(label: Sequence[str], found: Mapping[str, Interval], verdict: Text, fits: str, style: str = "") -> None:
        cells: list[Any] = [*label, *[""] * (max(len(keys), 1) - len(label))]
        cells += [mean(found.get(name), decimals) for name in losses]
        table.add_row(*cells, *([strips.draw(found)] if strips else []), verdict, fits, style=style)

    searched = isinstance(sweep.spec.sweep, Tpe)
    configs = _best_first(sweep)[:SHOWN] if searched else sweep.configs
    found = [sweep.intervals(config) for config in configs]
    columns = {key: _distinct([c.swept[key] for c in configs if key in c.swept]) for key in keys}
    best = sweep.best()
    group = None
    for config, intervals in zip(configs, found, strict=True):
        first = canonical(next(iter(config.swept.values()), None))
        if group not in (None, first) and len(keys) > 1 and not searched:
            table.add_row()
        group = first
        label = [columns[key][canonical(config.swept[key])] if key in config.swept else ABSENT for key in keys]
        verdict = coloured(sweep.verdicts.by_config.get(config.digest))
        row(label, intervals, verdict, _outcomes(sweep.of(config)), "bold" if config in best else "")
    table.add_row()
    for (swept, null), beside in zip(sweep.constants(), sweep.beside_constants(), strict=True):
        label = [shown(swept[key]) if key in swept else "" for key in keys]
        verdict = Text(beside, style="bold red")
        row(label if swept else [CONSTANT.replace(" ", "\n")], null, verdict, "" if not swept else CONSTANT, "dim")
    return table


def coloured(verdict: Verdict | None) -> Text:
    """Return a verdict in few letters and its colour; a dash where there is none."""
    return Text(ABSENT) if verdict is None else Text(verdict.brief, style=COLOURS[verdict.label])


def legend(sweep: Sweep, strip: bool) -> str:
    """Say how the table is to be read."""
    strips, level = _Strips(sweep), sweep.spec.diagnosis.level
    text = f"Mean over seeds ± half of its {level:.0%} Student-t interval, last epoch. {_bold(sweep)}"
    losses = {fit.loss.partition(",")[0].replace("_", " ") for fit in sweep.fits if fit.loss}
    text += f" Loss: {', '.join(sorted(losses))}." if losses else ""
    if any(verdict.leaning for verdict in sweep.verdicts.by_config.values()):
        text += " A question mark: inconclusive, leaning that way."
    hidden = len(sweep.configs) - SHOWN
    if isinstance(sweep.spec.sweep, Tpe) and hidden > 0:
        text += f"\nThe first {SHOWN}, best first; {hidden} more fell behind (sweep.table() and --json have all)."
    if strip and strips.high > 0:
        text += (
            f"\nStrip: logarithmic from {strips.low:.2g} to {strips.high:.2g}. Both circles near ┊: too small. "
            "● far to the left of ○: it memorises."
        )
    return text


def _bold(sweep: Sweep) -> str:
    """Say what the bold Configs are best at, and which one is selected if none of them is."""
    best, several = objective_words(sweep), len(sweep.spec.sweep.objective) > 1
    text = f"Bold: no other is better at all of {best} (Pareto set)." if several else f"Bold: {best}."
    chosen = sweep.verdicts.selection
    other = [one for one in sweep.configs if chosen and one.digest == chosen.config and one not in sweep.best()]
    return text + "".join(f" Validation loss selects another: {name_of(one)}." for one in other)


class _Strips:
    """Train and validation loss of a Config on one logarithmic axis for all."""

    def __init__(self, sweep: Sweep) -> None:
        self.null = [one["loss/val"].estimate for _, one in sweep.constants() if one]
        found = [one for config in sweep.configs if (one := sweep.intervals(config))]
        losses = [one[name].estimate for one in found for name in ("loss/train", "loss/val")] + self.null
        positive = [loss for loss in losses if loss > 0]
        self.high = max(positive, default=0.0)
        reference = min(self.null, default=self.high)
        self.low = max(min(positive, default=0.0), reference / 10**DECADES)

    def draw(self, intervals: Mapping[str, Interval]) -> Text:
        cells = [" "] * STRIP
        if len(self.null) == 1:
            cells[self.at(self.null[0])] = "┊"
        text = Text()
        if intervals:
            train, val = (self.at(intervals[name].estimate) for name in ("loss/train", "loss/val"))
            for i in range(min(train, val) + 1, max(train, val)):
                cells[i] = "─"
            cells[val] = "○"
            cells[train] = "◉" if train == val else "●"
        styles = {"●": "cyan", "○": "yellow", "◉": "cyan", "─": "dim", "┊": "dim"}
        for cell in cells:
            text.append(cell, styles.get(cell))
        return text

    def at(self, loss: float) -> int:
        """Return the column of a loss."""
        if self.high <= self.low or loss <= self.low:
            return 0
        return min(STRIP - 1, round((STRIP - 1) * math.log(loss / self.low) / math.log(self.high / self.low)))


def short_names(keys: Sequence[str]) -> dict[str, str]:
    """Return the last part of each key, or all of it where two end alike."""
    ends = Counter(map(end_of, keys))
    return {key: end if ends[end := end_of(key)] == 1 else key for key in keys}


def broken(name: str) -> str:
    """Break a long name into two lines at the underscore nearest its middle."""
    at = min((i + 1 for i, c in enumerate(name) if c == "_"), key=lambda i: abs(i - len(name) / 2), default=0)
    return f"{name[:at]}\n{name[at:]}" if at and len(name) > 12 else name


def cells(swept: Mapping[str, Any], keys: Iterable[str]) -> list[str]:
    """Write the swept values of a Config, each under its key; – where a parameter does not exist."""
    return [shown(swept[key]) if key in swept else ABSENT for key in keys]


def mean(interval: Interval | None, decimals: int) -> str:
    """Write mean ± half-width, the half-width with two digits, but at most so many decimals."""
    if interval is None:
        return "–"
    half = interval.high - interval.estimate
    if not math.isfinite(half):
        return f"{interval.estimate:.4g} (no interval)"
    digits = 3 if half <= 0 else min(max(1 - math.floor(math.log10(half)), 0), decimals)
    return f"{interval.estimate:.{digits}f} ± {half:.{digits}f}"


def _best_first(sweep: Sweep) -> list[Config]:
    """Return the Configs of a search: the best at its (first) objective first, then those that were given up."""
    objective, seeds = sweep.spec.sweep.objective[0], len(sweep.spec.seeds.values)
    sign, best = -1.0 if objective.maximize else 1.0, set(sweep.best())

    def rank(config: Config) -> tuple[int, float]:
        completed = sweep.completed(config)
        value = score(objective, completed)
        whole = len(completed) == seeds and math.isfinite(value)
        if whole:
            return int(config not in best), sign * value
        pruned = {fit.outcome for fit in sweep.of(config)} <= {Outcome.PRUNED, Outcome.COMPLETED}
        return 2 if pruned else 3, -max((fit.epochs for fit in sweep.of(config)), default=0)

    return sorted(sweep.configs, key=rank)


def _distinct(values: Sequence[Any]) -> dict[str, str]:
    """Write values with as many digits as tell them apart, at least four; canonical JSON -> text."""
    keys = list(dict.fromkeys(map(canonical, values)))
    known = dict(zip(map(canonical, values), values, strict=True))
    for digits in range(4, 13):
        texts = [_rounded(known[key], digits) for key in keys]
        if len(set(texts)) == len(keys):
            return dict(zip(keys, texts, strict=True))
    return {key: shown(known[key]) for key in keys}


def _rounded(value: Any, digits: int) -> str:
    return shown(float(f"{value:.{digits}g}") if isinstance(value, float) else value)


def _outcomes(fits: Sequence[Fit]) -> str:
    """Write how many completed, and what became of the others: ``5`` or ``3, 2 diverged`` or ``0, 5 pruned at 9``."""
    counts = Counter(fit.outcome for fit in fits)
    where = {fit.epochs for fit in fits if fit.outcome is Outcome.PRUNED}
    at = {Outcome.PRUNED: f" at {max(where)}"} if len(where) == 1 else {}
    others = [f"{counts[o]} {o}{at.get(o, '')}" for o in Outcome if o is not Outcome.COMPLETED and counts[o]]
    return ", ".join([str(counts[Outcome.COMPLETED]), *others])
