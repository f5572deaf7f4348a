"""Sweeps are drawn from a problem and judged by every rule: one row for each Config of each sweep."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from multiprocessing import get_context
from typing import Any

import numpy as np
import pandas as pd
from numpy.random import Generator, default_rng

from experiments.calibration import log_loss, networks, squared
from experiments.calibration.problems import Draws, Problem, draws, risks
from experiments.calibration.rules import NAIVE, Seen
from experiments.calibration.truth import Truth, truth
from fitlab.diagnosis import Candidate, Candidates, Rule, decide
from fitlab.records import Floats, Outcome
from fitlab.seeds import stream
from fitlab.stats import t_interval

MARGINS = (0.02, 0.05, 0.1)
SEEDS = (3, 5, 10)
LEVEL = 0.90
STANDARD = (5, 0.05)  # seeds and margin


@dataclass(frozen=True)
class Plan:
    """How much is drawn of every problem, and from which seed everything is derived."""

    seed: int
    truth: int = 200  # training draws that the truth is averaged over
    seeds: int = 120  # that Configs are trained under; sweeps of 3, 5 and 10 are made of them
    pools: int = 10  # data sets that five seeds re-split
    grid: int = 60  # of the seeds, how many the sweeps of other margins and of other numbers of seeds take

    def rng(self, problem: int, purpose: str) -> Generator:
        """Return the stream of one purpose for one problem."""
        return default_rng(stream("calibration", self.seed, problem, purpose))


def problems() -> list[Problem]:
    """All of them; those of networks come last."""
    return [*squared.problems(), *log_loss.problems(), *networks.problems()]


def run(plan: Plan, workers: int = 2, only: Sequence[int] | None = None) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Judge every problem; return a row for each Config of each sweep, and the counts of interval coverage."""
    chosen = sorted(range(len(problems())) if only is None else only, reverse=True)  # networks take long: first
    with ProcessPoolExecutor(workers, mp_context=get_context("forkserver")) as pool:
        done = list(pool.map(judged, [plan] * len(chosen), chosen))
    rows, intervals = zip(*reversed(done), strict=True)
    return pd.concat(rows, ignore_index=True), pd.concat(intervals, ignore_index=True)


def judged(plan: Plan, i: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Judge one problem: its rows, and its interval coverage."""
    problem = problems()[i]
    known = risks(problem, plan.rng(i, "truth"), plan.truth)
    drawn = draws(problem, plan.rng(i, "seeds"), plan.seeds)
    truths = {margin: truth(problem, known, margin) for margin in MARGINS}
    rows: list[dict[str, Any]] = []
    for S in SEEDS:
        for margin in MARGINS:
            count = plan.seeds if (S, margin) == STANDARD else min(plan.grid, plan.seeds)
            for sweep in range(count // S):
                part = slice(sweep * S, (sweep + 1) * S)
                rows += _rows(problem, drawn, part, truths[margin], margin, data="fresh")
    if not problem.fixed and not is_network(problem):
        rng = plan.rng(i, "pools")
        for _ in range(plan.pools):
            pool = problem.sample(rng, problem.n + problem.n_val)
            rows += _rows(problem, draws(problem, rng, 5, pool), slice(None), truths[0.05], 0.05, data="re-split")
    table = pd.DataFrame(rows).assign(kind=problem.kind, family=problem.family, problem=i, n=problem.n)
    return table, coverage(problem, drawn, known.end).assign(problem=i)


def is_network(problem: Problem) -> bool:
    """Whether it trains networks, which takes so long that no data set is re-split."""
    return problem.family.startswith("network")


def _rows(
    problem: Problem, drawn: Draws, part: slice, true: Truth, margin: float, data: str
) -> Iterator[dict[str, Any]]:
    """Yield a row for each Config of a sweep: truth, and what every rule says of it."""
    standard = margin == 0.05
    seeds = len(drawn.null_val[part])
    columns: dict[str, list[Any]] = {}
    aware, blind = evidence(problem, drawn, part, True), evidence(problem, drawn, part, False)
    columns |= _ours("ours", aware, Rule(margin=margin))
    if standard:
        columns |= _ours("curves", blind, Rule(margin=margin))
    if data == "re-split":
        columns |= _ours("widened", aware, Rule(margin=margin, resplit=problem.n_val / problem.n))
    if standard and data == "fresh":
        view = seen(problem, drawn, part)
        columns |= {name: rule(view) for name, rule in NAIVE.items()}
    for c in range(len(true.answers)):
        yield {
            "data": data,
            "seeds": seeds,
            "margin": margin,
            "config": c,
            "excess": true.excess[c],
            "noise": true.null_share,
            "agrees": true.agrees[c],
            "answers": "|".join(sorted(true.answers[c])),
            **{name: str(values[c]) for name, values in columns.items()},
        }


def _ours(name: str, candidates: Candidates, rule: Rule) -> dict[str, list[str]]:
    """Return label and leaning of every Config (the label again where it is confident)."""
    decisions = decide(candidates, rule)
    return {
        name: [str(d.label) for d in decisions],
        f"{name} leaning": [str(d.leaning if d.leaning is not None else d.label) for d in decisions],
    }


def evidence(problem: Problem, drawn: Draws, part: slice, aware: bool) -> Candidates:
    """Return what a rule sees of some seeds. aware: the order of Configs is declared where it is one of capacity."""
    ordered = aware and problem.axis == "capacity"
    configs = []
    for c, (train, val) in enumerate(zip(drawn.train, drawn.val, strict=True)):
        ended = np.isfinite(train[part, -1]) & np.isfinite(val[part, -1])
        configs.append(
            Candidate(
                np.array(problem.epochs[c]) if problem.epochs else np.array([1]),
                train[part],
                val[part],
                tuple(Outcome.COMPLETED if ok else Outcome.DIVERGED for ok in ended),
                capacity=float(c) if ordered else None,
                group="all" if ordered else None,
            )
        )
    return Candidates(tuple(configs), drawn.null_train[part], drawn.null_val[part], problem.kind)


def seen(problem: Problem, drawn: Draws, part: slice) -> Seen:
    """Return what the naive rules see."""
    train = np.stack([curve[part, -1] for curve in drawn.train])
    val = np.stack([curve[part, -1] for curve in drawn.val])
    with np.errstate(all="ignore"):
        return Seen(
            problem.kind,
            train.mean(axis=1),
            val.mean(axis=1),
            val.std(axis=1, ddof=1) / np.sqrt(val.shape[1]),
            float(drawn.null_val[part].mean()),
            float(drawn.null_train[part].mean()),
            drawn.scores[part].mean(axis=0),
            drawn.null_scores[part].mean(axis=0),
        )


def coverage(problem: Problem, drawn: Draws, end: Floats) -> pd.DataFrame:
    """Count how often t intervals hold the true mean loss, and the true difference between neighbours on the axis.

    end: (R, C) risks. Heavy: a few draws make the mean, so that it exceeds the median by more than a tenth; no interval
    from a handful of seeds can know of what none of them shows.
    """
    with np.errstate(all="ignore"):
        risk, heavy = end.mean(axis=0), end.mean(axis=0) > 1.1 * np.median(end, axis=0)
    kept = [c for c in range(len(risk)) if c not in problem.diverges]
    val = {c: drawn.val[c][:, -1] for c in kept}
    quantities = [("mean", val[c], risk[c], heavy[c]) for c in kept]
    quantities += [("difference", val[c] - val[b], risk[c] - risk[b], heavy[b] or heavy[c]) for b, c in pairwise(kept)]
    rows = []
    for S in SEEDS:
        for what, values, true, tailed in quantities:
            intervals = [t_interval(values[s : s + S], LEVEL) for s in range(0, len(values) - S + 1, S)]
            inside = sum(interval.low <= true <= interval.high for interval in intervals)
            rows.append({"what": what, "seeds": S, "heavy": bool(tailed), "inside": inside, "of": len(intervals)})
    return pd.DataFrame(rows).assign(family=problem.family, kind=problem.kind)
