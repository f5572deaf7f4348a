"""What libraries warn of while they train: kept from the terminal, and from becoming errors, for the Fit to say."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from fitlab.errors import readable

MAX_SAID = 3  # different warnings that a Fit keeps
MAX_LENGTH = 300  # characters of one


@contextmanager
def collected() -> Iterator[list[warnings.WarningMessage]]:
    """Collect the warnings of a block."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield caught


def lines(caught: Iterable[warnings.WarningMessage]) -> tuple[str, ...]:
    """Return each warning once, in a line."""
    return tuple(dict.fromkeys(f"{one.category.__name__}: {line(one.message)}" for one in caught))


def line(message: object) -> str:
    """Return the first line of what is said."""
    first = readable(str(message)).strip().split("\n")[0]
    return first if len(first) <= MAX_LENGTH else first[: MAX_LENGTH - 1] + "…"


def told(said: tuple[str, ...]) -> str | None:
    """Return the cause that a Fit gives; None where nothing was said."""
    return "; ".join(said[:MAX_SAID]) or None
