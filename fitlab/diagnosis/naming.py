"""How Configs, values and intervals are written where people read them."""

from __future__ import annotations

import html
import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from fitlab.records import Config, Fit, Interval, Outcome
from fitlab.seeds import canonical
from fitlab.spec.recorded import NAME

ABSENT = "–"  # a parameter that does not exist for a Config, and a number that is not known
BRIEF = 4  # digits of a number in the name of a Config, where none counts
_MARKS = re.compile(
    r"([\\`*|~]|(?<![^\W_])_|_(?![^\W_])|(?<=\])[(\[:])"
)  # of Markdown; a name may have _ in its middle
HUGE = 1e9  # losses that have grown beyond it are not read digit by digit


def shown(value: Any) -> str:
    """Write a swept value: ``[32]``, ``0.01``, ``1``; two different numbers never look alike."""
    if isinstance(value, float):
        return repr(value).removesuffix(".0")
    return value if isinstance(value, str) else canonical(value)


def short(key: str) -> str:
    """Return the last part of a swept key."""
    return key.rsplit(".", 1)[-1]


def name_of(config: Config) -> str:
    """Return what a Config is called in a sentence: ``hidden_layer_sizes [32], alpha 0.01``."""
    if NAME in config.swept:
        return str(config.swept[NAME])
    return pairs(config.swept) or "the one Config"


def brief_name(config: Config) -> str:
    """Return what a Config is called where no digit counts: numbers that a search drew have four."""
    return name_of(replace(config, swept=rounded(config.swept)))


def rounded(swept: Mapping[str, Any]) -> dict[str, Any]:
    """Return swept values, their numbers with four digits."""
    return {key: float(f"{value:.{BRIEF}g}") if isinstance(value, float) else value for key, value in swept.items()}


def pairs(swept: Mapping[str, Any]) -> str:
    """Write swept keys with their values."""
    return ", ".join(f"{short(key)} {shown(value)}" for key, value in swept.items())


def in_markdown(text: str) -> str:
    """Return what somebody typed so that Markdown shows it as it is, in one line: no HTML, no link, no emphasis."""
    return _MARKS.sub(r"\\\1", html.escape(" ".join(text.split()), quote=False))


def number(value: float) -> str:
    """Write a loss or a difference of losses with three significant digits; in powers of ten from a billion on."""
    if not math.isfinite(value):
        return "∞" if value > 0 else "−∞" if value < 0 else "unknown"
    if value == 0:
        return "0"
    if abs(value) >= HUGE:
        return f"{value:.3g}".replace("-", "−")
    digits = min(max(2 - math.floor(math.log10(abs(value))), 0), 6)
    return f"{value:.{digits}f}".replace("-", "−")


def interval(found: Interval) -> str:
    """Write an estimate with its bounds: ``0.25 [0.20, 0.30]``; alone where one value has no bounds."""
    if not math.isfinite(found.low) and not math.isfinite(found.high):
        return number(found.estimate)
    digits = _digits(found)
    estimate, low, high = (f"{value:.{digits}f}".replace("-", "−") for value in (found.estimate, found.low, found.high))
    return f"{estimate} [{low}, {high}]"


def turned(found: Interval) -> Interval:
    """Return the interval of the negative of a number."""
    return replace(found, estimate=-found.estimate, low=-found.high, high=-found.low)


def _digits(found: Interval) -> int:
    """Return the decimals that show the half-width with two digits, at most six."""
    half = max(abs(found.estimate - end) for end in (found.low, found.high) if math.isfinite(end))
    half = half or 0.1 * abs(found.estimate)  # three significant digits, as ``number`` has
    return min(max(1 - math.floor(math.log10(half)), 0), 6) if half > 0 else 1


def listed(words: Iterable[str]) -> str:
    """Write ``a``, ``a and b``, ``a, b and c``."""
    found: Sequence[str] = list(words)
    return found[0] if len(found) == 1 else f"{', '.join(found[:-1])} and {found[-1]}" if found else ""


def counted(count: int, one: str) -> str:
    """Write ``1 Config`` or ``3 Configs``."""
    return f"{count} {one}{'' if count == 1 else 's'}"


def percent(level: float) -> str:
    """Write a level: ``90 %``."""
    return f"{100 * level:.4g} %"


# ── cells of tables ──────────────────────────────────────────────────────────────────────────────────────────


def short_names(keys: Sequence[str]) -> dict[str, str]:
    """Return the last part of each key, or all of it where two end alike."""
    ends = Counter(map(short, keys))
    return {key: short(key) if ends[short(key)] == 1 else key for key in keys}


def broken(name: str) -> str:
    """Break a long name into two lines at the underscore nearest its middle."""
    at = min((i + 1 for i, c in enumerate(name) if c == "_"), key=lambda i: abs(i - len(name) / 2), default=0)
    return f"{name[:at]}\n{name[at:]}" if at and len(name) > 12 else name


def cells(swept: Mapping[str, Any], keys: Iterable[str]) -> list[str]:
    """Write the swept values of a Config, each under its key; – where a parameter does not exist."""
    return [shown(swept[key]) if key in swept else ABSENT for key in keys]


def plus_minus(found: Interval | None, decimals: int) -> str:
    """Write mean ± half-width, the half-width with two digits, but at most so many decimals."""
    if found is None:
        return ABSENT
    half = found.high - found.estimate
    if not math.isfinite(half):
        return f"{found.estimate:.4g} (no interval)"
    if max(abs(found.estimate), half) >= HUGE:
        return f"{number(found.estimate)} ± {number(half)}"
    digits = 3 if half <= 0 else min(max(1 - math.floor(math.log10(half)), 0), decimals)
    return f"{found.estimate:.{digits}f} ± {half:.{digits}f}"


def distinct(values: Sequence[Any]) -> dict[str, str]:
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


def outcomes(fits: Sequence[Fit]) -> str:
    """Write how many completed, and what became of the others: ``5`` or ``3, 2 diverged`` or ``0, 5 pruned at 9``."""
    counts = Counter(fit.outcome for fit in fits)
    where = {fit.epochs for fit in fits if fit.outcome is Outcome.PRUNED}
    at = {Outcome.PRUNED: f" at {max(where)}"} if len(where) == 1 else {}
    others = [f"{counts[o]} {o}{at.get(o, '')}" for o in Outcome if o is not Outcome.COMPLETED and counts[o]]
    return ", ".join([str(counts[Outcome.COMPLETED]), *others])
