"""A sweep that is interrupted or stopped: what is there is logged to MLflow all the same."""

from __future__ import annotations

from collections.abc import Callable
from shlex import quote
from typing import Any

from fitlab.data import Arrays
from fitlab.errors import PublishError, StoppedError
from fitlab.runner.execute import Interrupted
from fitlab.runner.verdicts import checked
from fitlab.store import Store
from fitlab.sweep import Sweep

CutShort = Interrupted | StoppedError


def log_the_rest(
    stop: CutShort,
    name: str,
    store: Store,
    finish: Callable[[Sweep], Any],
    data: Arrays | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> None:
    """Log what is there of a sweep whose lock is held; where that comes to nothing, note on ``stop`` what does it.

    finish: logs a sweep. data: (X, y) if it was trained on arrays. say: is told before it begins, for it may take long.
    Ctrl-C leaves it.
    """
    if not stop.done or name not in store.names():
        return
    say("logging what is there to MLflow; Ctrl-C leaves that")
    catch_up = f"`fitlab publish {name} --store {quote(str(store.root))}` logs what is there"
    try:
        finish(checked(store.load(name), data))
    except PublishError as error:
        stop.add_note(f"not published: {error}\n{catch_up}")
    except KeyboardInterrupt:
        stop.add_note(f"interrupted while logging to MLflow: {catch_up}")
