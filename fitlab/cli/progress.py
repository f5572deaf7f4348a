"""Progress on stderr: a bar in a terminal, silence elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from fitlab.records import Outcome

if TYPE_CHECKING:
    from fitlab.runner.fits import Progress as Done


@contextmanager
def shown(name: str) -> Iterator[Callable[[Done], None]]:
    """Yield what is to be called with the progress of a sweep."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda _: None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[said]}"))
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(name, total=None, said="")

        def report(done: Done) -> None:
            bar.update(task, total=done.total, completed=done.done, said=words(done))

        yield report


@contextmanager
def counting(what: str) -> Iterator[Callable[[int, int], None]]:
    """Yield what is to be called with how much of something is done, and how much there is."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda _, __: None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed}/{task.total}"))
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, total=total, completed=done)


def words(done: Done) -> str:
    """Say how far a sweep is: done, cached, what went wrong, time left."""
    parts = [f"{done.done}/{done.total} Fits"]
    parts += [f"{done.cached} cached"] if done.cached else []
    for outcome in (Outcome.PRUNED, Outcome.DIVERGED, Outcome.FAILED):
        parts += [f"{done.outcomes[outcome]} {outcome}"] if done.outcomes[outcome] else []
    parts += [f"{duration(done.eta)} left"] if done.eta is not None and done.done < done.total else []
    return " · ".join(parts)


def duration(seconds: float) -> str:
    """Write seconds as people say them: ``42 s``, ``3 min 05 s``, ``2 h 10 min``."""
    minutes, rest = divmod(round(seconds), 60)
    if not minutes:
        return f"{rest} s"
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    return f"{minutes // 60} h {minutes % 60:02d} min"
