"""What ``fitlab diagnose`` prints: a verdict with its reason for each Config, what was chosen, what was found."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.markdown import Markdown
from rich.table import Table
from rich.text import Text

from fitlab.cli.table import coloured
from fitlab.diagnosis import reason
from fitlab.diagnosis.naming import broken, cells, interval, listed, name_of, percent, short_names
from fitlab.diagnosis.words import selection_words
from fitlab.records import Config
from fitlab.spec import domain_of
from fitlab.sweep import Sweep
from fitlab.verdicts import Check, Severity, State, Verdict

NEXT_SWEEP = ("SWP001", "SWP005")  # a wider space, more seeds
SEVERITIES = {Severity.NOTE: "", Severity.WARNING: "yellow", Severity.PROBLEM: "bold red"}


def show(sweep: Sweep, to: Console) -> None:
    """Print the diagnosis of a sweep."""
    if sweep.spec.question:
        to.print(Text(f"\n{sweep.spec.question}", style="bold"))
    to.print(_rows(sweep))
    to.print(method(sweep), style="dim", highlight=False)
    show_selection(sweep, to)
    show_checks(sweep.verdicts.checks, to)
    to.print(_rest(sweep.verdicts.checks), style="dim", highlight=False)


def _rows(sweep: Sweep) -> Table:
    keys = short_names(list(domain_of(sweep.spec)))
    table = Table(box=None, padding=(0, 1), pad_edge=False, header_style="bold")
    for short in keys.values() or ("",):
        table.add_column(broken(short), justify="right", no_wrap=True)
    table.add_column("verdict", no_wrap=True)
    table.add_column("because it", overflow="fold")
    for config in sweep.configs:
        verdict = sweep.verdicts.by_config[config.digest]
        label = cells(config.swept, keys) or [""]
        table.add_row(*label, coloured(verdict), Text(reason(verdict)))
    return table


def method(sweep: Sweep) -> str:
    """Say how verdicts are made, and how they are to be read."""
    spec = sweep.spec
    return (
        f"Losses on validation, {percent(spec.diagnosis.level)} intervals over {len(spec.seeds.values)} seeds, paired; "
        f"what matters is {percent(spec.diagnosis.margin)} of the constant predictor's loss. "
        "A question mark: inconclusive, leaning that way."
    )


def show_selection(sweep: Sweep, to: Console) -> None:
    """Print which Config validation chooses, and what that cost."""
    found = sweep.verdicts.selection
    if found is None:
        return
    named: dict[str, Config] = {config.digest: config for config in sweep.configs}
    text = selection_words(found).replace("**", "")
    to.print(Text(f"{text}\n  {name_of(named[found.config])}; validation loss {interval(found.val)}"))
    if found.objective and (others := [one for one in sweep.best() if one.digest != found.config]):
        to.print(Text(f"  the objective prefers {listed(map(name_of, others))}"))
    if found.simplest not in (None, found.config):
        to.print(Text(f"  the smallest within one standard error of it: {name_of(named[str(found.simplest)])}"))


def show_checks(checks: Sequence[Check], to: Console) -> None:
    """Print what was found, each with its advice."""
    for one in checks:
        if one.state is State.FOUND:
            to.print(Text(f"{one.code} {one.title}: {one.said}", style=SEVERITIES[one.severity]))
            to.print(Text(f"  {one.advice}"))


def pressing(checks: Sequence[Check]) -> list[Check]:
    """Return the checks that are told at the end of a sweep already: warnings, and what the next sweep should do."""
    return [one for one in checks if one.severity is not Severity.NOTE or one.code in NEXT_SWEEP]


def _rest(checks: Sequence[Check]) -> str:
    """Name what was looked for and not found, and what did not apply."""
    words = {State.CLEAR: "Looked for and not found", State.NOT_APPLICABLE: "Not applicable"}
    lines = []
    for state, head in words.items():
        titles = [one.title for one in checks if one.state is state]
        lines += [f"{head}: {', '.join(titles)}."] if titles else []
    return "\n".join(lines)


def show_notes(sweep: Sweep, to: Console) -> None:
    """Print the note of every Config."""
    for config in sweep.configs:
        to.print(Markdown(sweep.verdicts.by_config[config.digest].note))
        to.rule(style="dim")


def summary(sweep: Sweep, to: Console) -> None:
    """Print, for each verdict that occurs, how many Configs have it, and one of them with its reason."""
    by_text: dict[str, list[Config]] = {}
    for config in sweep.configs:
        by_text.setdefault(sweep.verdicts.by_config[config.digest].brief, []).append(config)
    for configs in by_text.values():
        verdicts = [sweep.verdicts.by_config[config.digest] for config in configs]
        typical = sorted(range(len(configs)), key=lambda i: _excess(verdicts[i]))[len(configs) // 2]
        text = coloured(verdicts[typical])
        text.append(f" ({len(configs)})" if len(configs) > 1 else "", style="default")
        such = f"such as {name_of(configs[typical])}" if len(configs) > 1 else name_of(configs[typical])
        text.append(f": {such}: {reason(verdicts[typical])}", style="default")
        to.print(text)


def _excess(verdict: Verdict) -> float:
    return verdict.reasons["excess"].estimate if "excess" in verdict.reasons else 0.0
