"""What commands print: tables for people, JSON for programs."""

from __future__ import annotations

import json
import math
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from fitlab.cli.progress import duration
from fitlab.records import Config, Fit, Interval, Job, Outcome
from fitlab.seeds import canonical
from fitlab.store import Store
from fitlab.sweep import CONSTANT, Sweep
from fitlab.tracking import links
from fitlab.tracking.content import shown, sweep_identity

if TYPE_CHECKING:  # the runner loads scikit-learn, which `check --no-data` and `status` do not need
    from fitlab.runner.estimate import Estimate
    from fitlab.runner.execute import Result
    from fitlab.runner.plan import Plan

PLAIN_WIDTH = 140  # of a table that goes to a file or a pipe
STRIP = 30  # characters of the strip of losses
DECADES = 2  # below the constant predictor that the strip shows


def console() -> Console:
    """Return a console on stdout: as wide as the terminal, or wide enough where there is none."""
    return Console() if sys.stdout.isatty() else Console(width=PLAIN_WIDTH)


def err(text: str) -> None:
    """Print a line on stderr."""
    print(text, file=sys.stderr)


def out_json(document: Any) -> None:
    """Print one JSON document on stdout; what is not a number becomes null."""
    print(json.dumps(_finite(document), indent=1, ensure_ascii=False))


def _finite(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, Mapping):
        return {str(key): _finite(item) for key, item in value.items()}
    return [_finite(item) for item in value] if isinstance(value, list | tuple) else value


def status(text: str, quiet: bool) -> AbstractContextManager[Any]:
    """Show that something is going on, in a terminal."""
    to = Console(stderr=True)
    return nullcontext() if quiet or not to.is_terminal else to.status(text)


def counted(configs: int, seeds: int) -> str:
    """Write ``36 Configs × 5 seeds = 180 Fits``."""
    return f"{configs} Config{'s' * (configs != 1)} × {seeds} seed{'s' * (seeds != 1)} = {configs * seeds} Fits"


# ── sweep ───────────────────────────────────────────────────────────────────────────────────────────────────


def sweep_result(plan: Plan, result: Result) -> None:
    """Print the question, the table, what was done, and what went wrong."""
    to = console()
    spec = plan.document.spec
    if spec.question:
        to.print(Text(f"\n{spec.question}", style="bold"))
    table = sweep_table(result.sweep, to)
    to.print(table)
    strip = any("●" in str(column.header) for column in table.columns)
    to.print(legend(result.sweep, strip), style="dim", highlight=False)
    to.print(done(plan, result), highlight=False)
    causes = Counter(fit.cause for fit in result.sweep.fits if fit.outcome is Outcome.FAILED)
    for cause, count in causes.most_common(5):
        to.print(f"failed {count} ×: {cause}", style="red", highlight=False, markup=False)
    if result.failed:
        to.print("`--retry-failed` trains failed Fits again.")
    for name in result.damaged:
        to.print(f"damaged, set aside and trained again: fits/{name}", style="yellow", highlight=False)
    for name, versions in result.sweep.mixed_versions().items():
        to.print(f"These Fits were trained with more than one {name}: {', '.join(versions)}.", style="yellow")


def done(plan: Plan, result: Result) -> str:
    """Say what was trained and what was there."""
    progress = result.progress
    all_of_it = counted(len(plan.planned), len(plan.document.spec.seeds.values))
    if progress.trained:
        cached = f", {progress.cached} were there" if progress.cached else ""
        text = f"{all_of_it}: {progress.trained} trained in {duration(progress.seconds)}{cached}."
    else:
        text = f"{all_of_it}: all were there, nothing was trained."
    if plan.infeasible:
        text += f" {len(plan.infeasible)} Configs break a constraint and are left out."
    return text


def sweep_table(sweep: Sweep, to: Console) -> Table:
    """Return a row per Config: swept values, losses and gap as mean ± half-width, a strip of losses, outcomes.

    Where the console is narrow the strip is left out, then a decimal and blanks.
    """
    layouts = ((_Strips(sweep), 4), (None, 4), (None, 3))
    tables = [_sweep_table(sweep, strips, decimals) for strips, decimals in layouts]
    unbounded = Console(width=10_000)
    return next((table for table in tables if unbounded.measure(table).maximum <= to.width), tables[-1])


def _sweep_table(sweep: Sweep, strips: _Strips | None, decimals: int) -> Table:
    keys = _short(list(sweep.spec.sweep.parameters))
    table = Table(box=None, padding=(0, 1), pad_edge=False, collapse_padding=decimals < 4, header_style="bold")
    for short in keys.values() or ("",):
        table.add_column(_broken(short), justify="right", no_wrap=True)
    for name in ("train loss", "validation\nloss", "gap"):
        table.add_column(name, justify="right", no_wrap=True)
    if strips:
        table.add_column("● train ○ validation\n┊ constant predictor", no_wrap=True)
    table.add_column("Fits", no_wrap=True)

    def row(label: Sequence[str], found: Mapping[str, Interval], fits: str, style: str = "") -> None:
        cells: list[Any] = [*label, *[""] * (max(len(keys), 1) - len(label))]
        cells += [_mean(found.get(name), decimals) for name in ("loss/train", "loss/val", "gap/loss")]
        table.add_row(*cells, *([strips.draw(found)] if strips else []), fits, style=style)

    found = [sweep.intervals(config) for config in sweep.configs]
    seeds = len(sweep.spec.seeds.values)
    whole = [one["loss/val"].estimate for one in found if one and one["loss/val"].n == seeds]
    best = min(whole, default=None)  # of Configs that completed on every seed: survivors flatter
    group = None
    for config, intervals in zip(sweep.configs, found, strict=True):
        first = canonical(next(iter(config.swept.values()), None))
        if group not in (None, first) and len(keys) > 1:
            table.add_row()
        group = first
        lowest = bool(intervals) and intervals["loss/val"].n == seeds and intervals["loss/val"].estimate == best
        label = [_cell(config.swept.get(key)) for key in keys]
        row(label, intervals, _outcomes(sweep.of(config)), "bold" if lowest else "")
    table.add_row()
    for swept, null in sweep.constants():
        label = [_cell(swept[key]) if key in swept else "" for key in keys]
        row(label if swept else [CONSTANT.replace(" ", "\n")], null, "" if not swept else CONSTANT, "dim")
    return table


def legend(sweep: Sweep, strip: bool) -> str:
    """Say how the table is to be read."""
    strips, level = _Strips(sweep), sweep.spec.diagnosis.level
    text = f"Mean over seeds ± half of its {level:.0%} Student-t interval, last epoch. Bold: lowest validation loss."
    if strip:
        text += (
            f"\nStrip: logarithmic from {strips.low:.2g} to {strips.high:.2g}. Both circles near ┊: too small. "
            "● far to the left of ○: it memorises."
        )
    return text


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


def _short(keys: Sequence[str]) -> dict[str, str]:
    """Return the last part of each key, or all of it where two end alike."""
    ends = Counter(key.rsplit(".", 1)[-1] for key in keys)
    return {key: end if ends[end := key.rsplit(".", 1)[-1]] == 1 else key for key in keys}


def _broken(name: str) -> str:
    """Break a long name into two lines at the underscore nearest its middle."""
    at = min((i + 1 for i, c in enumerate(name) if c == "_"), key=lambda i: abs(i - len(name) / 2), default=0)
    return f"{name[:at]}\n{name[at:]}" if at and len(name) > 12 else name


def _cell(value: Any) -> str:
    return "–" if value is None else shown(value)


def _mean(interval: Interval | None, decimals: int) -> str:
    """Write mean ± half-width, the half-width with two digits, but at most so many decimals."""
    if interval is None:
        return "–"
    half = interval.high - interval.estimate
    if not math.isfinite(half):
        return f"{interval.estimate:.4g} (1 seed)"
    digits = 3 if half <= 0 else min(max(1 - math.floor(math.log10(half)), 0), decimals)
    return f"{interval.estimate:.{digits}f} ± {half:.{digits}f}"


def _outcomes(fits: Iterable[Fit]) -> str:
    """Write how many completed, and what became of the others: ``5`` or ``3, 2 diverged``."""
    counts = Counter(fit.outcome for fit in fits)
    others = [f"{counts[o]} {o}" for o in Outcome if o is not Outcome.COMPLETED and counts[o]]
    return ", ".join([str(counts[Outcome.COMPLETED]), *others])


def print_published(published: Any, store: Store) -> None:
    """Say what MLflow has now, and how to look at it."""
    to = console()
    parts = [f"{published.created} runs logged"] if published.created else []
    parts += [f"{published.unchanged} were there"] if published.unchanged else []
    parts += [f"{published.superseded} superseded"] if published.superseded else []
    parts += [f"{published.left_deleted} deleted by you stay deleted"] if published.left_deleted else []
    to.print(f"MLflow: {', '.join(parts)}.", highlight=False)
    if links.is_server(published.uri):
        to.print(f"Compare the curves: {links.charts(published.experiment, published.uri)}", soft_wrap=True)
        return
    start = (
        "make ui"
        if store.root.name == "mlruns" and store.root.parent.samefile(".")
        else f"fitlab ui --store {store.root}"
    )
    to.print(f"Compare the curves: `{start}`, then open", highlight=False)
    to.print(f"  {links.charts(published.experiment)}", soft_wrap=True, style="underline")


def sweep_json(plan: Plan, result: Result, published: Any, failure: Exception | None, store: Store) -> dict[str, Any]:
    """Return a sweep and its table as plain data."""
    sweep, progress = result.sweep, result.progress
    return {
        "name": sweep.spec.name,
        "question": sweep.spec.question,
        "store": str(store.root),
        "configs": [_config_json(sweep, config) for config in sweep.configs],
        "constant_predictor": [{"swept": swept, "metrics": _intervals(null)} for swept, null in sweep.constants()],
        "infeasible": [dict(config.swept) for config, _ in plan.infeasible],
        "fits": {"total": progress.total, "cached": progress.cached, "trained": progress.trained},
        "outcomes": dict(progress.outcomes),
        "causes": dict(Counter(fit.cause for fit in sweep.fits if fit.outcome is Outcome.FAILED)),
        "damaged": list(result.damaged),
        "seconds": progress.seconds,
        "published": None if published is None else vars(published),
        "error": None if failure is None else str(failure),
        "link": None if published is None else _link(published),
    }


def _link(published: Any) -> str:
    base = (published.uri,) if links.is_server(published.uri) else ()
    return links.charts(published.experiment, *base)


def _config_json(sweep: Sweep, config: Config) -> dict[str, Any]:
    return {
        "digest": config.digest,
        "swept": dict(config.swept),
        "outcomes": dict(Counter(str(fit.outcome) for fit in sweep.of(config))),
        "metrics": _intervals(sweep.intervals(config)),
        "fits": [{"seed": f.job.seed, "digest": f.job.digest, "outcome": str(f.outcome)} for f in sweep.of(config)],
    }


def _intervals(found: Mapping[str, Interval]) -> dict[str, Any]:
    return {name: vars(interval) for name, interval in found.items()}


# ── plan and status ─────────────────────────────────────────────────────────────────────────────────────────


def plan_table(plan: Plan, missing: Sequence[Job], left: Estimate) -> None:
    """Print each Config with how many of its Fits are done, and how long the rest takes."""
    to = console()
    keys = _short(list(plan.document.spec.sweep.parameters))
    table = Table(box=None, padding=(0, 1), header_style="bold")
    for short in (*keys.values(), "epochs", "done", "to train"):
        table.add_column(short, justify="right", no_wrap=True)
    waiting = {job.digest for job in missing}
    for one in plan.planned:
        count = sum(job.digest in waiting for job in one.jobs)
        table.add_row(
            *(_cell(one.config.swept.get(k)) for k in keys), *map(str, (one.end, len(one.jobs) - count, count))
        )
    to.print(table)
    seeds = len(plan.document.spec.seeds.values)
    to.print(f"{counted(len(plan.planned), seeds)}: {len(missing)} to train.", highlight=False)
    if plan.infeasible:
        to.print(f"{len(plan.infeasible)} Configs break a constraint and are left out.", highlight=False)
    if missing:
        low, high = duration(left.low), duration(left.high)
        span = low if low == high else f"{low} to {high}"
        to.print(
            f"About {span} of training on {left.workers} at a time "
            f"(measured: some epochs of {left.timed} of the jobs; start-up and MLflow not included).",
            highlight=False,
        )


def plan_json(plan: Plan, missing: Sequence[Job], left: Estimate) -> dict[str, Any]:
    """Return a plan as plain data."""
    return {
        "name": plan.document.spec.name,
        "configs": [
            {"digest": one.config.digest, "swept": dict(one.config.swept), "epochs": one.end} for one in plan.planned
        ],
        "fits": {"total": len(plan.jobs), "to_train": len(missing)},
        "infeasible": [dict(config.swept) for config, _ in plan.infeasible],
        "seconds": vars(left),
    }


def status_row(store: Store, name: str) -> dict[str, Any]:
    """Return how far a sweep is, as plain data."""
    total = sum(len(one["fits"]) for one in store.sweep_record(name)["configs"])
    sweep = store.load(name)
    causes = Counter(f"{fit.outcome}: {fit.cause}" for fit in sweep.fits if fit.cause)
    noted = store.published(name)
    state = "no" if noted is None else "yes" if noted["identity"] == sweep_identity(sweep) else "an earlier state"
    return {
        "name": name,
        "configs": len(sweep.configs),
        "fits": total,
        "done": len(sweep.fits),
        "outcomes": dict(Counter(str(fit.outcome) for fit in sweep.fits)),
        "running": store.running(name),
        "published": state,
        "causes": dict(causes),
    }


def status_table(rows: Sequence[Mapping[str, Any]], store: Store) -> None:
    """Print a row per sweep, then why Fits diverged or failed."""
    to = console()
    table = Table(box=None, padding=(0, 1), header_style="bold")
    for head in ("sweep", "Configs", "Fits done", "outcomes", "state", "in MLflow"):
        table.add_column(head)
    for row in rows:
        state = "running" if row["running"] else "complete" if row["done"] == row["fits"] else "stopped"
        outcomes = ", ".join(f"{count} {outcome}" for outcome, count in row["outcomes"].items()) or "–"
        fits = f"{row['done']}/{row['fits']}"
        table.add_row(row["name"], str(row["configs"]), fits, outcomes, state, row["published"])
    to.print(table if rows else f"{store.root}: no sweeps yet; `fitlab sweep SPEC` makes one")
    for row in rows:
        for cause, count in row["causes"].items():
            to.print(f"{row['name']}: {count} × {cause}", highlight=False, markup=False)
    for name in store.set_aside():
        to.print(f"damaged, set aside: fits/{name}", style="yellow", highlight=False)
