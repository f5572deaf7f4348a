"""Publishing while training goes on: in a thread, one Config after the other, as they are settled.

Importing and opening MLflow takes seconds, so that is done there, too. What this thread does not come to, or cannot
do, is left for the end: nothing that happens here stops the training.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import TYPE_CHECKING

from fitlab.records import Config, Fit
from fitlab.spec import Spec
from fitlab.sweep import Sweep

if TYPE_CHECKING:  # it loads MLflow
    from fitlab.runner.publishing import Log

GRACE = 10.0  # seconds that a run has to be logged after Ctrl-C


class Alongside:
    """A thread that logs what it is given. After it ended ``log`` is what it has opened, for going on with.

    opened: opens MLflow; it is called in the thread, with what says whether to stop before the next run.
    """

    def __init__(self, spec: Spec, opened: Callable[[Callable[[], bool]], Log]) -> None:
        self.spec, self.opened = spec, opened
        self.log: Log | None = None
        self.failure: BaseException | None = None
        self._parts: SimpleQueue[Sweep | None] = SimpleQueue()
        self._over, self._interrupted = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True)

    def settled(self, config: Config, fits: tuple[Fit, ...]) -> None:
        """Log a Config: none of its Fits will change in this run of the sweep."""
        self._parts.put(Sweep(self.spec, (config,), fits))

    def __enter__(self) -> Alongside:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """End after the Config at hand; where training has ended by an error, after the run at hand."""
        self._over.set()
        if kind is not None:
            self._interrupted.set()
        self._parts.put(None)
        self._thread.join(None if kind is None else GRACE)

    def _work(self) -> None:
        try:
            log = self.opened(self._interrupted.is_set)
            while not self._over.is_set() and (part := self._parts.get()) is not None:
                log.settled(part)
        except BaseException as failure:  # all is tried again at the end, where it can be said
            self.failure = failure
        else:
            self.log = log
