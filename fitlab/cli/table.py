"""The table of a sweep: a row per Config, intervals, and train and validation loss on one axis."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from fitlab.diagnosis.naming import ABSENT, broken, distinct, name_of, outcomes, plus_minus, short_names, shown
from fitlab.diagnosis.selection import best_first, objective_words
from fitlab.records import Interval
from fitlab.seeds import canonical
from fitlab.spec import domain_of
from fitlab.spec.sweeps import Tpe
from fitlab.sweep import CONSTANT, Sweep
from fitlab.verdicts import Label, Verdict

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
        cells += [plus_minus(found.get(name), decimals) for name in losses]
        table.add_row(*cells, *([strips.draw(found)] if strips else []), verdict, fits, style=style)

    searched = isinstance(sweep.spec.sweep, Tpe)
    configs = best_first(sweep)[:SHOWN] if searched else sweep.configs
    found = [sweep.intervals(config) for config in configs]
    columns = {key: distinct([c.swept[key] for c in configs if key in c.swept]) for key in keys}
    best = sweep.best()
    group = None
    for config, intervals in zip(configs, found, strict=True):
        first = canonical(next(iter(config.swept.values()), None))
        if group not in (None, first) and len(keys) > 1 and not searched:
            table.add_row()
        group = first
        label = [columns[key][canonical(config.swept[key])] if key in config.swept else ABSENT for key in keys]
        verdict = coloured(sweep.verdicts.by_config.get(config.digest))
        row(label, intervals, verdict, outcomes(sweep.of(config)), "bold" if config in best else "")
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
