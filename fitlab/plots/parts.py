"""Bias, variance and noise: the parts of a test error stacked on each other, beside the error that was measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from fitlab.diagnosis.naming import counted, pairs, percent, shown
from fitlab.plots.above import head
from fitlab.plots.along import Places, called, number_of, set_places
from fitlab.plots.curves import STEEP
from fitlab.plots.drawn import Origin, origin_of, shows
from fitlab.plots.keys import plain
from fitlab.plots.lines import BY_NAME, fits_in, given, held_by, key_named, refuse_several
from fitlab.plots.shared import SERIES, axes_or_new, bare, nothing, small
from fitlab.plots.sources import numeric
from fitlab.records import Floats
from fitlab.sweep import Sweep
from fitlab.theory.bias_variance import PARTS, BiasVariance

WIDTH = 0.58  # of a bar
HATCH = "#FFFFFF"
FACES: Mapping[str, tuple[str, str]] = {  # part -> colour and hatching, so that they differ in grey, too
    "noise": ("#D0D0D0", ""),
    "bias": (SERIES[0], ""),
    "bias_and_noise": (SERIES[0], ""),
    "variance": (SERIES[4], "////"),
    "interaction": (SERIES[3], "...."),
}
LOSSES = {"squared_error": "squared error", "log_loss": "log-loss", "zero_one_loss": "zero-one loss"}
ERROR = "error"
NO_KEYS = {"n", "missing", *(f"{part}{end}" for part in PARTS for end in ("", "/low", "/high"))}


@dataclass(frozen=True, eq=False)
class Stacked:
    """What ``bias_variance`` draws."""

    frame: pd.DataFrame  # a row per bar: the key; error and its parts, each with low and high; n
    key: str
    fixed: Mapping[str, Any]  # what else is swept, with the values that it is held to
    loss: str = ""  # empty: not known
    over: str = ""  # what the variance is over
    method: str = ""  # of the intervals, with their level
    missing: Mapping[str, int] = field(default_factory=dict)  # why there are no parts -> Configs
    origin: Origin | None = None

    @property
    def parts(self) -> tuple[str, ...]:
        """Those that are stacked, from below: noise and bias apart where both are known everywhere."""
        known = {name for name in PARTS if name in self.frame and np.isfinite(self.frame[name]).all()}
        apart = {"noise", "bias"} <= known
        wanted = ("noise", "bias") if apart else ("bias_and_noise",)
        return tuple(name for name in (*wanted, "variance", "interaction") if name in known)

    def table(self) -> pd.DataFrame:
        """Return a row per bar: the key; error and the parts that are stacked, each with low and high; n."""
        columns = [f"{name}{end}" for name in (ERROR, *self.parts) for end in ("", "/low", "/high")]
        there = [name for name in (self.key, *columns, "n") if name in self.frame]
        return self.frame[there].reset_index(drop=True)

    @property
    def title(self) -> str:
        """What else is swept, and where it is held."""
        return f"at {pairs(self.fixed)}" if self.fixed else ""

    @property
    def caption(self) -> str:
        """What stands below the figure."""
        held = f", with {pairs(self.fixed)}" if self.fixed else ""
        n = sorted({int(one) for one in self.frame["n"]}) if "n" in self.frame else []
        seeds = f", from {'–'.join(map(str, n[:1] + n[1:][-1:]))} seeds" if n else ""
        over = f"; variance is over {self.over}" if self.over else ""
        method = f"; bars: {self.method}" if self.method else ""
        cut = [f"{shown(value)} ({error:.2g})" for value, error in self._cut]
        left = "".join(f" {counted(count, 'Config')} left out: {why}." for why, count in self.missing.items())
        return (
            f"Parts of {LOSSES.get(self.loss, 'the error')} on test rows against {called(self.key)}{held}{seeds}{over}"
            f"{method}; points: the error as measured, which is the sum{'; cut: ' + ', '.join(cut) if cut else ''}. "
            f"Test rows are shown of every Config: no ground to choose one.{left}"
        )

    @property
    def limit(self) -> float | None:
        """Above what an error is cut, for it would hide the others; None: nothing is."""
        errors = self.frame[ERROR].to_numpy(np.float64)
        low = errors[errors <= STEEP * np.median(errors)]
        return float(low.max()) if 0 < len(low) < len(errors) else None

    @property
    def _cut(self) -> list[tuple[Any, float]]:
        limit = self.limit
        every = zip(self.frame[self.key], self.frame[ERROR], strict=True)
        return [] if limit is None else [(value, error) for value, error in every if error > limit]


def bias_variance(
    source: BiasVariance | Stacked | pd.DataFrame,
    along: str | None = None,
    *,
    fixed: Mapping[str, Any] | None = None,
    sweep: Sweep | None = None,
    ax: Axes | None = None,
    legend: bool = True,
) -> Axes:
    """Draw the parts of test errors as stacked bars, their intervals, and beside them the errors as measured.

    source: what ``fitlab.bias_variance(sweep)`` returns, or its table. Noise and bias are apart where the truth is
    known. The interaction of zero-one loss may be negative: then it hangs below zero. along: the swept key, or its
    end; default: the only one. fixed: what else is swept is held to these values. sweep: the one that it is of, for
    provenance, and so that what else is swept is held to the values of its selected Config.
    What is drawn is ``stacked_of(…).table()``. Raises ValueError where there is nothing to draw, saying what there is.
    """
    found = source if isinstance(source, Stacked) else stacked_of(source, along, fixed=fixed, sweep=sweep)
    ax = axes_or_new(ax)
    at = np.arange(len(found.frame), dtype=np.float64)
    _stack(ax, found, at)
    ax.axhline(0, color="black", linewidth=0.5)
    labels = tuple(shown(number if (number := number_of(one)) is not None else one) for one in found.frame[found.key])
    set_places(ax, Places("ticks", at, labels), found.key)
    ax.set_ylabel(f"{LOSSES.get(found.loss, 'error')} on test rows")
    bare(ax)
    head(ax, found.title, _explained(found), legend)
    return shows(ax, found)


def _stack(ax: Axes, found: Stacked, at: Floats) -> None:
    """Draw bars, up from zero what is positive and down what is negative; an interval at the end of each part."""
    limit, names = found.limit, found.parts
    cut = np.zeros(len(at), bool) if limit is None else found.frame[ERROR].to_numpy(np.float64) > limit
    frame, x = found.frame[~cut], at[~cut]
    up, down = np.zeros(len(x)), np.zeros(len(x))
    for place, name in enumerate(names):
        face, hatch = FACES[name]
        size = frame[name].to_numpy(np.float64)
        start = np.where(size >= 0, up, down)
        ax.bar(x, size, WIDTH, bottom=start, color=face, hatch=hatch, edgecolor=HATCH, linewidth=0.3, label=name)
        _bars(ax, frame, name, x + WIDTH * ((place + 0.5) / len(names) - 0.5), start + size)
        up, down = up + np.maximum(size, 0), down + np.minimum(size, 0)
    style = {"marker": "o", "markersize": 3, "markeredgecolor": "white", "markeredgewidth": 0.3}
    _bars(ax, frame, ERROR, x + 0.68 * WIDTH, frame[ERROR].to_numpy(np.float64), **style)
    if cut.any():
        _cut(ax, at[cut], found.frame[ERROR].to_numpy(np.float64)[cut])


def _bars(ax: Axes, frame: pd.DataFrame, name: str, x: Floats, y: Floats, **style: Any) -> None:
    """Draw the intervals of one part."""
    mean, low, high = (_column(frame, f"{name}{end}") for end in ("", "/low", "/high"))
    ends = [mean - low, high - mean]
    ax.errorbar(x, y, yerr=ends, color="black", linestyle="none", capsize=1.2, elinewidth=0.8, **style)


def _column(frame: pd.DataFrame, name: str) -> Floats:
    return frame[name].to_numpy(np.float64) if name in frame else np.full(len(frame), np.nan)


def _cut(ax: Axes, at: Floats, errors: Floats) -> None:
    """Draw what is many times the rest as empty boxes up to the top, and write in them how high they are."""
    top = ax.get_ylim()[1]
    ax.bar(at, top, WIDTH, color="none", edgecolor="black", linestyle="--", linewidth=0.6)
    ax.set_ylim(top=top)
    for place, error in zip(at, errors, strict=True):
        ax.text(place, 0.97 * top, f"{error:.2g} →", rotation=90, ha="center", va="top", fontsize=small())


def _explained(found: Stacked) -> dict[str, Artist]:
    squared = found.loss == "squared_error"
    words = {"bias": "bias²" if squared else "bias", "bias_and_noise": "bias² + noise" if squared else "bias + noise"}
    lines: dict[str, Artist] = {}
    for name in found.parts:
        face, hatch = FACES[name]
        lines[words.get(name, name)] = Patch(facecolor=face, hatch=hatch, edgecolor=HATCH, linewidth=0.3)
    return {**lines, "measured error": Line2D([], [], color="black", marker="o", markersize=3, linestyle="none")}


# ── what is drawn ───────────────────────────────────────────────────────────────────────────────────────────


def stacked_of(
    source: BiasVariance | pd.DataFrame,
    along: str | None = None,
    *,
    fixed: Mapping[str, Any] | None = None,
    sweep: Sweep | None = None,
) -> Stacked:
    """Return what ``bias_variance`` draws. Raises ValueError where there is nothing."""
    match source:
        case BiasVariance():
            return _of_record(source, along, fixed, sweep)
        case pd.DataFrame():
            return _of_table(source, along, fixed)
        case _:
            raise nothing(
                f"a {type(source).__name__} has no parts yet; they take its test rows: "
                "plots.bias_variance(fitlab.bias_variance(sweep), sweep=sweep)"
            )


def _of_record(found: BiasVariance, along: str | None, fixed: Mapping[str, Any] | None, sweep: Sweep | None) -> Stacked:
    configs = [*found.parts, *found.missing]
    swept = [{key: value for key, value in one.swept.items() if key not in BY_NAME} for one in configs]
    if not found.parts:
        raise nothing(f"no Config has parts: {'; '.join(dict.fromkeys(found.missing.values())) or 'there is none'}")
    key, keys = _along(along, swept)
    held = held_by(sweep, None, fixed) if sweep is not None else given(fixed, keys, swept)
    held = {name: value for name, value in held.items() if name != key}
    line = [
        (one, values) for one, values in zip(configs, swept, strict=True) if key in values and fits_in(values, held)
    ]
    table = found.table()
    rows = [place for place, one in enumerate(configs) if one in {config for config, _ in line}]
    frame = _framed(table.iloc[rows], key, [values for _, values in line])
    first = next(iter(found.parts.values())).error
    missing = [found.missing[one] for one, _ in line if one in found.missing]
    return Stacked(
        frame,
        key,
        held,
        found.loss,
        found.over,
        f"{percent(first.level)} intervals, {first.method}",
        {why: missing.count(why) for why in dict.fromkeys(missing)},
        None if sweep is None else origin_of(sweep, [one for one, _ in line if one in found.parts], first.method),
    )


def _of_table(frame: pd.DataFrame, along: str | None, fixed: Mapping[str, Any] | None) -> Stacked:
    lacking = [name for name in (ERROR, "bias_and_noise", "variance") if name not in frame]
    if lacking and not {ERROR, "noise", "bias", "variance"} <= {*frame.columns}:
        raise nothing(
            f"the DataFrame lacks {', '.join(lacking)}, which bias_variance(sweep).table() has", frame.columns
        )
    frame = numeric(frame, *(NO_KEYS - {"missing"}))
    names = [str(name) for name in frame.columns if name not in NO_KEYS]
    cells = [[plain(value) for value in row] for row in frame[names].itertuples(index=False)]
    swept = [{name: v for name, v in zip(names, row, strict=True) if v is not None} for row in cells]
    key, keys = _along(along, swept)
    held = given(fixed, keys, swept)
    rows = [place for place, one in enumerate(swept) if key in one and fits_in(one, held)]
    return Stacked(_framed(frame.iloc[rows], key, [swept[place] for place in rows]), key, held)


def _along(along: str | None, swept: Sequence[Mapping[str, Any]]) -> tuple[str, list[str]]:
    """Return the key that is meant, and all keys."""
    keys = [*dict.fromkeys(key for one in swept for key in one)]
    if along is None and len(keys) != 1:
        raise nothing(f"along which of {len(keys)} keys? Give along=", keys)
    return key_named(along or keys[0], keys), keys


def _framed(frame: pd.DataFrame, key: str, swept: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Return the rows that have parts, numbers ascending. Raises ValueError where values stand several times."""
    refuse_several(key, swept)
    values = [one[key] for one in swept]
    rows = frame.assign(**{key: pd.Series(values, frame.index, dtype=object)})
    if all(number_of(value) is not None for value in values):
        rows = rows.iloc[np.argsort([number_of(value) or 0.0 for value in values], kind="stable")]
    finite: pd.DataFrame = rows[np.isfinite(rows[ERROR].to_numpy(np.float64))]
    if not len(finite):
        raise nothing(f"no value of {key} has a finite error")
    return finite
