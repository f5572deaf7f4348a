"""What came out: accuracy at coverage, confusion, errors near the margin, coverage of intervals; as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import numpy as np
import pandas as pd

from experiments.calibration.judge import STANDARD
from experiments.calibration.rules import NAIVE
from fitlab.verdicts import Label

UNSAID = (Label.INCONCLUSIVE, Label.NOT_ASSESSED)
GOOD = (Label.GOOD, Label.BENIGN)
KINDS = ("squared_error", "log_loss")
RULES = {
    "this rule, confident": "ours",
    "this rule, curves only, confident": "curves",
    "this rule, forced": "ours leaning",
    **{name: name for name in NAIVE},
}
TARGETS = {"accuracy": 0.98, "coverage": 0.75, "family": 0.95, "near": 0.06, "interval": 0.02}
Data = dict[str, Any]


def summary(rows: pd.DataFrame, intervals: pd.DataFrame) -> Data:
    """Return every table of the calibration."""
    fresh = rows[rows.data == "fresh"]
    standard = fresh[(fresh.seeds == STANDARD[0]) & (fresh.margin == STANDARD[1])]
    found: Data = {
        "rules": {kind: rules(standard[standard.kind == kind]) for kind in KINDS},
        "families": [
            {"kind": kind, "family": family, **family_scores(part)}
            for (kind, family), part in standard.groupby(["kind", "family"], sort=False)
        ],
        "confusion": {kind: confusion(standard[standard.kind == kind]) for kind in KINDS},
        "classes": {kind: classes(standard[standard.kind == kind]) for kind in KINDS},
        "near": {kind: near(standard[standard.kind == kind]) for kind in KINDS},
        "diverged": diverged(standard),
        "seeds_and_margin": by(fresh, ["kind", "seeds", "margin"]),
        "noise": by(standard.assign(noise=noise(standard)), ["kind", "noise"]),
        "rows": by(standard.assign(rows=size(standard)), ["kind", "rows"]),
        "power": power(fresh[fresh.margin == STANDARD[1]]),
        "resplit": resplit(rows),
        "intervals": coverage(intervals),
        "agreement": agreement(standard),
    }
    return found | {"targets": targets(found)}


def accepted(answers: str, lenient: bool) -> set[str]:
    """Return what counts as right; lenient: rules that do not know more than overfit and underfit may say those."""
    known = set(answers.split("|"))
    if lenient and Label.NOT_CONVERGED in known:
        known.add(Label.UNDERFIT)
    if lenient and Label.DIVERGED in known:
        known |= {Label.OVERFIT, Label.UNDERFIT}
    return known


def right(rows: pd.DataFrame, column: str) -> Any:
    """Return (rows,) whether what a column says is right."""
    lenient = column in NAIVE
    ways = {answers: accepted(answers, lenient) for answers in rows.answers.unique()}
    return np.array([said in ways[answers] for said, answers in zip(rows[column], rows.answers, strict=True)], bool)


def clear(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows whose truth is clear."""
    return rows[rows.answers != ""]


def said(rows: pd.DataFrame, column: str) -> Any:
    """Return (rows,) whether a rule commits itself."""
    return (~rows[column].isin(UNSAID)).to_numpy()


def score(rows: pd.DataFrame, column: str) -> Data:
    """Return accuracy of what is said, coverage, and how many clear items there are; None where nothing is said."""
    rows = clear(rows)
    committed = said(rows, column)
    accuracy = float(right(rows, column)[committed].mean()) if committed.any() else None
    return {"accuracy": accuracy, "coverage": float(committed.mean()) if len(rows) else None, "n": len(rows)}


def rules(rows: pd.DataFrame) -> Data:
    """Return the score of every rule; of ours with a 95 % interval from resampling problems."""
    scores = {name: score(rows, column) for name, column in RULES.items()}
    for name in ("this rule, confident", "this rule, curves only, confident"):
        scores[name]["interval"] = bootstrap(rows, RULES[name])
    return scores


def bootstrap(rows: pd.DataFrame, column: str, draws: int = 1000) -> list[float]:
    """Return a 95 % percentile interval of the accuracy; problems are resampled, whose sweeps share one truth."""
    rows = clear(rows)
    rows = rows[said(rows, column)]
    table = pd.DataFrame({"problem": rows.problem.to_numpy(), "right": right(rows, column)})
    counts = table.groupby("problem").right.agg(["sum", "size"]).to_numpy()
    picked = np.random.default_rng(0).integers(len(counts), size=(draws, len(counts)))
    totals = counts[picked].sum(axis=1)
    return [float(q) for q in np.quantile(totals[:, 0] / totals[:, 1], (0.025, 0.975))]


def family_scores(rows: pd.DataFrame) -> Data:
    """Return the scores of one family: of ours, and the accuracy of the naive rules, which always say something."""
    return {
        **score(rows, "ours"),
        "curves": score(rows, "curves"),
        "forced": score(rows, "ours leaning")["accuracy"],
        "naive": {name: score(rows, name)["accuracy"] for name in NAIVE},
    }


def confusion(rows: pd.DataFrame) -> Data:
    """Return truth -> verdict -> count, of clear items."""
    rows = clear(rows)
    return {
        str(truth): {str(verdict): int(n) for verdict, n in part.ours.value_counts().items()}
        for truth, part in rows.groupby("answers")
    }


def classes(rows: pd.DataFrame) -> Data:
    """Return accuracy and coverage of the items of each truth."""
    return {str(truth): score(part, "ours") for truth, part in clear(rows).groupby("answers")}


def near(rows: pd.DataFrame) -> Data:
    """Return how often a Config whose excess is 1 to 2 margins is called good with confidence."""
    close = rows[(rows.excess > 1) & (rows.excess < 2)]
    return {"rate": float(close.ours.isin(GOOD).mean()) if len(close) else None, "n": len(close)}


def diverged(rows: pd.DataFrame) -> Data:
    """Return how many of the Configs that diverge are found, and how many others are said to."""
    truly = rows.answers.str.contains(Label.DIVERGED)
    says = rows.ours.isin([Label.DIVERGED, Label.UNSTABLE])
    return {"found": int((truly & says).sum()), "of": int(truly.sum()), "false": int((~truly & says).sum())}


def by(rows: pd.DataFrame, keys: list[str]) -> list[Data]:
    """Return accuracy, coverage, false alarms, power and errors near the margin for each value of some keys."""
    found = []
    for values, part in rows.groupby(keys, observed=True):
        entry = dict(zip(keys, (v.item() if hasattr(v, "item") else v for v in values), strict=True))
        found.append(entry | score(part, "ours") | alarms(part) | {"near": near(part)["rate"]})
    return found


def alarms(rows: pd.DataFrame) -> Data:
    """Return how often a clearly good Config is called bad, and how often a clearly bad one is told rightly."""
    rows = clear(rows)
    good = rows.answers.str.contains(Label.GOOD).to_numpy()
    bad_said = said(rows, "ours") & ~rows.ours.isin(GOOD).to_numpy()
    told = bad_said & right(rows, "ours")
    return {
        "false_alarms": float(bad_said[good].mean()) if good.any() else None,
        "power": float(told[~good].mean()) if (~good).any() else None,
    }


def noise(rows: pd.DataFrame) -> Any:
    """Return how much of the constant predictor's risk the best Config leaves, in three classes."""
    return pd.cut(rows.noise, [0, 0.4, 0.8, 1.01], labels=["below .4", ".4 to .8", "above .8"]).astype(str)


def size(rows: pd.DataFrame) -> Any:
    """Return how many rows there are to train on, in three classes."""
    return pd.cut(rows.n, [0, 79, 149, 10_000], labels=["below 80", "80 to 149", "150 and more"]).astype(str)


EDGES = [0, 0.25, 0.5, 1, 1.5, 2, 3, 5, 10, 30, np.inf]


def power(rows: pd.DataFrame) -> list[Data]:
    """Return what is said of Configs of rising excess, by seeds; whatever their truth, clear or not."""
    found = []
    bands: Any = pd.cut(rows.excess, EDGES, include_lowest=True)
    for key, part in rows.groupby(["seeds", bands], observed=True):
        seeds, band = cast(tuple[int, Any], key)
        bad = said(part, "ours") & ~part.ours.isin(GOOD).to_numpy()
        found.append(
            {
                "seeds": int(seeds),
                "from": float(band.left),
                "to": float(band.right),
                "middle": float(part.excess.median()),
                "good": float(part.ours.isin(GOOD).mean()),
                "bad": float(bad.mean()),
                "n": len(part),
            }
        )
    return found


def resplit(rows: pd.DataFrame) -> Data:
    """Return the scores where five seeds re-split one data set, beside fresh data sets, for the same problems."""
    split = rows[rows.data == "re-split"]
    kept = rows[rows.problem.isin(split.problem.unique())]
    fresh = kept[(kept.data == "fresh") & (kept.seeds == STANDARD[0]) & (kept.margin == STANDARD[1])]
    widened = split.assign(ours=split.get("widened"))
    ways = {"fresh data": fresh, "re-split": split, "re-split, widened": widened}
    return {name: {kind: one(part[part.kind == kind]) for kind in KINDS} for name, part in ways.items() if len(part)}


def one(rows: pd.DataFrame) -> Data:
    """Return the score and the errors near the margin."""
    return score(rows, "ours") | {"near": near(rows)["rate"]}


def coverage(intervals: pd.DataFrame) -> list[Data]:
    """Return how often t intervals hold the truth, by what they are of, by seeds and by whether a tail is heavy."""
    found = []
    for key, part in intervals.groupby(["what", "heavy", "seeds"]):
        what, heavy, seeds = cast(tuple[str, bool, int], key)
        rate = float(part.inside.sum() / part["of"].sum())
        found.append(
            {"what": what, "heavy": bool(heavy), "seeds": int(seeds), "coverage": rate, "n": int(part["of"].sum())}
        )
    return found


def agreement(rows: pd.DataFrame) -> Data:
    """Return how often bias and variance tell the direction as the family does, over clear over- and underfits."""
    told = rows[rows.agrees.notna()].drop_duplicates(["problem", "config"])
    return {str(kind): {"rate": float(part.agrees.mean()), "n": len(part)} for kind, part in told.groupby("kind")}


def targets(found: Mapping[str, Any]) -> Data:
    """Return for each target whether it was met, with the number."""
    met: Data = {}
    for kind in KINDS:
        ours = found["rules"][kind]["this rule, confident"]
        for name in ("accuracy", "coverage"):
            met[f"{kind}: {name} at least {TARGETS[name]}"] = [ours[name], (ours[name] or 0) >= TARGETS[name]]
        rate = found["near"][kind]["rate"] or 0.0
        met[f"{kind}: good at 1 to 2 margins at most {TARGETS['near']}"] = [rate, rate <= TARGETS["near"]]
    worst = min(found["families"], key=lambda entry: 1.0 if entry["accuracy"] is None else entry["accuracy"])
    met[f"every family at least {TARGETS['family']} (worst: {worst['family']})"] = [
        worst["accuracy"],
        (worst["accuracy"] or 0) >= TARGETS["family"],
    ]
    lost = found["diverged"]["of"] - found["diverged"]["found"]
    met["diverged Configs not found"] = [lost, lost == 0]
    light = [entry for entry in found["intervals"] if not entry["heavy"]]
    away = max((abs(entry["coverage"] - 0.9) for entry in light), default=0.0)
    met[f"t intervals at most {TARGETS['interval']} from .90"] = [away, away <= TARGETS["interval"]]
    return met
