"""Two pictures: what is said of a Config by how far it is from the best, and accuracy at coverage by family."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes

from experiments.calibration.report import NAMES
from experiments.calibration.score import KINDS, TARGETS

# Okabe and Ito 2008: told apart by the colour-blind
BLUE, ORANGE, GREEN, GREY = "#0072B2", "#D55E00", "#009E73", "#666666"
STYLES = {3: ":", 5: "-", 10: "--"}
PLAIN = {"Software": None}  # no version in the file: the same numbers give the same bytes


def draw(found: Mapping[str, Any], folder: Path) -> None:
    """Write verdict-power.png and verdict-families.png."""
    figure, ax = plt.subplots(figsize=(7, 4), layout="constrained")
    operating(found, ax)
    figure.savefig(folder / "verdict-power.png", dpi=150, metadata=PLAIN)
    plt.close(figure)
    figure, pair = plt.subplots(1, 2, figsize=(10, 5.6), layout="constrained", sharex=True)
    for ax, kind in zip(pair, KINDS, strict=True):
        families(found, kind, ax)
    figure.savefig(folder / "verdict-families.png", dpi=150, metadata=PLAIN)
    plt.close(figure)


def operating(found: Mapping[str, Any], ax: Axes) -> Axes:
    """Draw the share of Configs called good, and called bad, along their true excess."""
    ax.axvspan(0.5, 2, color="0.92", zorder=0)
    ax.text(1, 1.035, "near the margin", ha="center", va="bottom", fontsize=9, color=GREY)
    for name, colour, mark, word in (("good", BLUE, "o", "good"), ("bad", ORANGE, "s", "something is wrong")):
        for seeds, style in STYLES.items():
            entries = [entry for entry in found["power"] if entry["seeds"] == seeds]
            x = [max(entry["middle"], 0.1) for entry in entries]
            y = [entry[name] for entry in entries]
            ax.plot(x, y, style, color=colour, marker=mark, markersize=4, label=f"“{word}”, {seeds} seeds")
    ax.set_xscale("log")
    ax.set_xticks([0.1, 0.5, 1, 2, 10, 100], ["≤ 0.1", "0.5", "1", "2", "10", "100"])
    ax.set_xlim(0.09, 130)
    ax.set_ylim(0, 1.03)
    ax.set_xlabel("true excess risk over the best Config (margins δ)")
    ax.set_ylabel("share of Configs")
    ax.legend(fontsize=8, loc="center right", framealpha=1)
    return ax


def families(found: Mapping[str, Any], kind: str, ax: Axes) -> Axes:
    """Draw how often verdicts are right beside two naive rules, a row for each family."""
    entries = sorted((e for e in found["families"] if e["kind"] == kind), key=lambda entry: entry["coverage"])
    y = np.arange(len(entries))
    ax.axvline(TARGETS["family"], color="0.8", zorder=0)
    marks = (
        ("gap > 0.1", "x", ORANGE, [entry["naive"]["gap > 0.1"] for entry in entries]),
        ("one standard error", "+", GREY, [entry["naive"]["one standard error"] for entry in entries]),
        ("this rule, where it is confident", "o", BLUE, [entry["accuracy"] for entry in entries]),
        ("… and how often it is: coverage", "|", GREEN, [entry["coverage"] for entry in entries]),
    )
    for label, mark, colour, x in marks:
        ax.plot(x, y, mark, color=colour, markersize=7, markeredgewidth=1.6, label=label, clip_on=False)
    ax.grid(axis="y", color="0.93")
    ax.set_axisbelow(True)
    ax.set_yticks(y, [entry["family"] for entry in entries], fontsize=8)
    ax.set_xlim(0.0, 1.0)
    ax.set_xlabel(f"share of clear Configs, {NAMES[kind]}")
    if kind == KINDS[0]:
        ax.figure.legend(fontsize=8, loc="outside lower center", ncols=4)
    return ax
