"""The calibration as text: Markdown tables, which a terminal shows as well as a page."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from experiments.calibration.score import KINDS, RULES

Data = Mapping[str, Any]
BEGIN, END = "<!-- calibration -->", "<!-- /calibration -->"
NAMES = {"squared_error": "squared error", "log_loss": "log-loss"}


def markdown(found: Data) -> str:
    """Return every table; ``found`` is what ``score.summary`` says, with the plan that it came from."""
    parts = [
        _about(found["plan"]),
        _rules(found["rules"]),
        _targets(found["targets"]),
        _confusion(found["confusion"]),
        _families(found["families"]),
        _seeds(found["seeds_and_margin"]),
        _by(found["noise"], "noise", "best risk as a share of the constant's"),
        _by(found["rows"], "rows", "rows for training"),
        _resplit(found["resplit"]),
        _intervals(found["intervals"]),
    ]
    return "\n\n".join(part for part in parts if part)


def put(document: Path, text: str) -> None:
    """Replace what stands between the marks of a document."""
    old = document.read_text()
    if BEGIN not in old or END not in old:
        raise ValueError(f"{document} lacks the marks {BEGIN} and {END}")
    new = re.sub(f"{BEGIN}.*{END}", lambda _: f"{BEGIN}\n{text}\n{END}", old, flags=re.DOTALL)
    document.write_text(new)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table; the first column is text, the others are numbers."""
    rule = ["---", *["---:"] * (len(head) - 1)]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in [head, rule, *rows])


def share(value: float | None) -> str:
    """Return .987, or a dash where there is no number."""
    if value is None:
        return "–"
    return f"{value:.3f}".removeprefix("0")


def _about(plan: Data) -> str:
    return (
        f"{plan['problems']} problems of {plan['families']} families; for each {plan['seeds'] // 5} sweeps of 5 seeds, "
        f"the truth from {plan['truth']} other training draws; margin .05, level .90; random seed {plan['seed']}. "
        "Accuracy is of what is said of clear items (excess below δ/2 or above 2δ), coverage the share of them of "
        "which something is said. Brackets: 95 % bootstrap over problems."
    )


def _rules(rules: Data) -> str:
    head = ["rule", *(f"{NAMES[kind]}: {what}" for kind in KINDS for what in ("accuracy", "coverage"))]
    rows = []
    for name in RULES:
        cells = []
        for kind in KINDS:
            entry = rules[kind][name]
            bounds = "" if "interval" not in entry else " [{}, {}]".format(*map(share, entry["interval"]))
            cells += [share(entry["accuracy"]) + bounds, share(entry["coverage"])]
        rows.append([name, *cells])
    clear = [f"{rules[kind]['this rule, confident']['n']:,}" for kind in KINDS]
    rows.append(["clear items", clear[0], "", clear[1], ""])
    return table(head, rows)


def _targets(targets: Data) -> str:
    return table(
        ["target", "measured", "met"],
        [
            [name, str(value) if isinstance(value, int) else share(value), "yes" if met else "**no**"]
            for name, (value, met) in targets.items()
        ],
    )


def _confusion(confusion: Data) -> str:
    verdicts = ["good", "benign", "underfit", "not_converged", "overfit", "unstable", "diverged", "inconclusive"]
    rows = [
        [f"{NAMES[kind]}: {truth.replace('|', ' or ')}", *(str(said.get(verdict, 0) or "·") for verdict in verdicts)]
        for kind in KINDS
        for truth, said in confusion[kind].items()
    ]
    return table(["truth \\ verdict", *verdicts], rows)


SHOWN = ("one standard error", "gap > 0.1")  # the best of the naive rules, and the commonest


def _families(families: Sequence[Data]) -> str:
    rows = [
        [
            f"{NAMES[entry['kind']]}: {entry['family']}",
            str(entry["n"]),
            share(entry["accuracy"]),
            share(entry["coverage"]),
            share(entry["curves"]["accuracy"]),
            share(entry["curves"]["coverage"]),
            share(entry["forced"]),
            *(share(entry["naive"][name]) for name in SHOWN),
        ]
        for entry in families
    ]
    head = ["family", "clear", "accuracy", "coverage", "curves only", "coverage", "forced", *SHOWN]
    return table(head, rows)


def _seeds(entries: Sequence[Data]) -> str:
    rows = [[NAMES[entry["kind"]], str(entry["seeds"]), f"{entry['margin']:g}", *_numbers(entry)] for entry in entries]
    return table(["loss", "seeds", "margin", *NUMBERS], rows)


NUMBERS = ["clear", "accuracy", "coverage", "false alarms", "power", "good at 1–2 δ"]


def _numbers(entry: Data) -> list[str]:
    names = ("accuracy", "coverage", "false_alarms", "power", "near")
    return [str(entry["n"]), *(share(entry[name]) for name in names)]


def _by(entries: Sequence[Data], key: str, title: str) -> str:
    return table(
        ["loss", title, *NUMBERS], [[NAMES[entry["kind"]], str(entry[key]), *_numbers(entry)] for entry in entries]
    )


def _resplit(ways: Data) -> str:
    rows = [
        [
            f"{NAMES[kind]}: {name}",
            str(entry["n"]),
            share(entry["accuracy"]),
            share(entry["coverage"]),
            share(entry["near"]),
        ]
        for kind in KINDS
        for name, parts in ways.items()
        if (entry := parts[kind])["n"]
    ]
    return table(["five seeds", "clear", "accuracy", "coverage", "good at 1–2 δ"], rows)


def _intervals(entries: Sequence[Data]) -> str:
    rows = [
        [
            f"{'mean loss' if entry['what'] == 'mean' else 'paired difference'}"
            f"{', a few draws make the mean' if entry['heavy'] else ''}",
            str(entry["seeds"]),
            f"{entry['n']:,}",
            share(entry["coverage"]),
        ]
        for entry in entries
    ]
    return table(["90 % t interval of", "seeds", "intervals", "coverage"], rows)
