"""What commands print: tables for people, JSON for programs."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from fitlab.cli import diagnosis, expectations
from fitlab.cli.output import counted
from fitlab.cli.progress import duration
from fitlab.cli.table import legend, sweep_table
from fitlab.diagnosis import document
from fitlab.diagnosis.naming import cells, short_names
from fitlab.records import Config, Interval, Outcome
from fitlab.spec import domain_of
from fitlab.store import Store
from fitlab.sweep import Sweep
from fitlab.tracking import links

if TYPE_CHECKING:  # the runner loads scikit-learn, which `check --no-data` and `status` do not need
    from fitlab.runner.estimate import Estimate
    from fitlab.runner.execute import Outlook, Result
    from fitlab.runner.plan import Plan

PLAIN_WIDTH = 140  # of a table that goes to a file or a pipe


class _Piped(Console):
    """A console to whose end nobody need listen: rich would leave with 1, which says that Fits failed."""

    def on_broken_pipe(self) -> None:
        """Leave it to the command line, which ends with 0."""
        raise BrokenPipeError


def console() -> Console:
    """Return a console on stdout: as wide as the terminal, or wide enough where there is none."""
    return Console() if sys.stdout.isatty() else _Piped(width=PLAIN_WIDTH)


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
    diagnosis.summary(result.sweep, to)
    diagnosis.show_selection(result.sweep, to)
    diagnosis.show_checks(diagnosis.pressing(result.sweep.verdicts.checks), to)
    expectations.show(result.sweep.claims, to)
    to.print(done(plan, result), highlight=False)
    for cause, count in [*result.sweep.causes().items()][:5]:
        to.print(f"failed {count} ×: {cause}", style="red", highlight=False, markup=False)
    for cause, count in result.retried.items():
        to.print(f"tried again {count} ×: {cause}", style="yellow", highlight=False, markup=False)
    for warning, count in warned(result.sweep).most_common(5):
        to.print(f"warned {count} ×: {warning}", style="yellow", highlight=False, markup=False)
    if result.failed:
        to.print("`--retry-failed` trains failed Fits again.")
    for name in result.damaged:
        to.print(f"damaged, set aside and trained again: fits/{name}", style="yellow", highlight=False)


def warned(sweep: Sweep) -> Counter[str]:
    """Count what libraries warned of in Fits that completed all the same."""
    return Counter(fit.cause for fit in sweep.fits if fit.outcome is Outcome.COMPLETED and fit.cause)


def done(plan: Plan, result: Result) -> str:
    """Say what was trained and what was there."""
    progress, sweep = result.progress, result.sweep
    all_of_it = counted(len(sweep.configs), len(sweep.spec.seeds.values))
    if progress.trained:
        cached = f", {progress.cached} were there" if progress.cached else ""
        text = f"{all_of_it}: {progress.trained} trained in {duration(progress.seconds)}{cached}."
    else:
        text = f"{all_of_it}: all were there, nothing was trained."
    ends = [f"{count} {outcome}" for outcome in Outcome if (count := progress.outcomes[outcome])]
    if plan.search:
        text += f" Of these Fits {', '.join(ends)}."
    if plan.trials is not None and len(sweep.configs) < plan.trials:
        text += f" {plan.trials} trials were asked for: nothing new was found any more."
    if result.infeasible:
        text += f" {_left_out(len(result.infeasible))}"
    return text


def _left_out(count: int) -> str:
    one = "1 Config breaks" if count == 1 else f"{count} Configs break"
    return f"{one} a constraint and {'is' if count == 1 else 'are'} left out."


def print_published(published: Any, store: Store) -> None:
    """Say what MLflow has now, and how to look at it."""
    to = console()
    parts = [f"{published.created} runs logged"] if published.created else []
    parts += [f"{published.unchanged} were there"] if published.unchanged else []
    parts += [f"{published.superseded} superseded"] if published.superseded else []
    parts += [f"{published.left_deleted} deleted by you stay deleted"] if published.left_deleted else []
    parts += [f"{published.edited} edited by you keep what you wrote"] if published.edited else []
    parts += [f"the files of {published.restored} were gone and are there again"] if published.restored else []
    to.print(f"MLflow: {', '.join(parts)}.", highlight=False)
    if published.no_view:
        to.print(
            f"The comparison view was not written: {published.no_view}. The link opens all charts.", highlight=False
        )
    if links.is_server(published.uri):
        to.print(f"Compare the curves: {_link(published)}", soft_wrap=True)
        return
    start = (
        "make ui"
        if store.root.name == "mlruns" and store.root.parent.samefile(".") and Path("Makefile").is_file()
        else f"fitlab ui --store {store.root}"
    )
    to.print(f"Compare the curves: `{start}`, then open", highlight=False)
    to.print(f"  {_link(published)}", soft_wrap=True, style="underline")


def sweep_json(result: Result, published: Any, failure: Exception | None, store: Store) -> dict[str, Any]:
    """Return a sweep and its table as plain data."""
    sweep, progress = result.sweep, result.progress
    return {
        "name": sweep.spec.name,
        "question": sweep.spec.question,
        "store": str(store.root),
        "configs": [_config_json(sweep, config) for config in sweep.configs],
        "constant_predictor": [{"swept": swept, "metrics": _intervals(null)} for swept, null in sweep.constants()],
        "best": [config.digest for config in sweep.best()],
        "diagnosis": document(sweep),
        "expectations": [asdict(one) for one in sweep.claims],
        "infeasible": [dict(config.swept) for config in result.infeasible],
        "fits": {"total": len(sweep.fits), "cached": progress.cached, "trained": progress.trained},
        "outcomes": dict(progress.outcomes),
        "causes": dict(sweep.causes()),
        "retried": dict(result.retried),
        "warnings": dict(warned(sweep)),
        "damaged": list(result.damaged),
        "seconds": progress.seconds,
        "published": None if published is None else vars(published),
        "error": None if failure is None else str(failure),
        "link": None if published is None else _link(published),
    }


def _link(published: Any) -> str:
    base = published.uri if links.is_server(published.uri) else links.LOCAL
    return links.charts(published.experiment, base, published.view)


def _config_json(sweep: Sweep, config: Config) -> dict[str, Any]:
    return {
        "digest": config.digest,
        "swept": dict(config.swept),
        "outcomes": dict(Counter(str(fit.outcome) for fit in sweep.of(config))),
        "verdict": sweep.verdicts.by_config[config.digest].text,
        "metrics": _intervals(sweep.intervals(config)),
        "fits": [{"seed": f.job.seed, "digest": f.job.digest, "outcome": str(f.outcome)} for f in sweep.of(config)],
    }


def _intervals(found: Mapping[str, Interval]) -> dict[str, Any]:
    return {name: vars(interval) for name, interval in found.items()}


# ── plan ────────────────────────────────────────────────────────────────────────────────────────────────────


def plan_table(plan: Plan, found: Outlook, needed: Estimate) -> None:
    """Print each Config of a survey with how many of its Fits are done, and how long the rest takes."""
    to = console()
    if plan.search is None:
        to.print(_plan_rows(plan, found))
    seeds, most = len(plan.document.spec.seeds.values), "at most " if plan.search else ""
    left = found.left
    text = f"{most}{counted(plan.configs, seeds)}: {found.done} done, {most}{left} to train."
    to.print(text[0].upper() + text[1:], highlight=False)
    if plan.rungs:
        given_up = f"Configs that fall behind are given up at epoch {', '.join(map(str, plan.rungs))}."
        to.print(f"{given_up} The estimate takes none to be.", highlight=False)
    if found.infeasible:
        to.print(_left_out(found.infeasible), highlight=False)
    to.print(f"Trained by {', '.join(_trainers(plan))}.", highlight=False)
    if left:
        to.print(_needed(needed), highlight=False)


def _trainers(plan: Plan) -> list[str]:
    """Return which trainers the Configs are for, by name and version."""
    return sorted({job.trainer.split(" ")[0] for one in (*plan.planned, *plan.probes) for job in one.jobs})


def _needed(needed: Estimate) -> str:
    """Say how long training takes, and how that is known."""
    untimed = (
        f" {needed.untimed} of the jobs raised while they were timed: their Fits will fail." if needed.untimed else ""
    )
    if not needed.timed:
        return f"How long it takes cannot be said.{untimed}"
    low, high = duration(needed.low), duration(needed.high)
    span = low if low == high else f"{low} to {high}"
    return (
        f"About {span} of training on {needed.workers} at a time (measured: some epochs of {needed.timed} of the jobs; "
        f"start-up and MLflow not included).{untimed}"
    )


def _plan_rows(plan: Plan, found: Outlook) -> Table:
    keys = short_names(list(domain_of(plan.document.spec)))
    table = Table(box=None, padding=(0, 1), header_style="bold")
    for short in (*keys.values(), "epochs", "done", "to train"):
        table.add_column(short, justify="right", no_wrap=True)
    waiting = {job.digest for job in found.missing}
    for one in plan.planned:
        count = sum(job.digest in waiting for job in one.jobs)
        table.add_row(*cells(one.config.swept, keys), *map(str, (one.end, len(one.jobs) - count, count)))
    return table


def plan_json(plan: Plan, found: Outlook, needed: Estimate) -> dict[str, Any]:
    """Return a plan as plain data; of a search the Configs are not known before it runs."""
    spec = plan.document.spec
    return {
        "name": spec.name,
        "method": spec.sweep.method,
        "configs": [
            {"digest": one.config.digest, "swept": dict(one.config.swept), "epochs": one.end} for one in plan.planned
        ],
        "trainers": _trainers(plan),
        "rungs": list(plan.rungs),
        "fits": {"total": plan.fits, "done": found.done, "to_train": found.left},
        "infeasible": [dict(one.config.swept) for one in plan.infeasible],
        "seconds": vars(needed),
    }
