"""Publishing while training goes on: in a process of its own, Config by Config, as they are settled.

A thread would do, but MLflow holds Python's lock nearly all the time, and training waits for it: a sweep took 20 %
longer than with publishing at its end. What that process does not come to, or cannot do, is left for the end: nothing
that happens here stops the training.
"""

from __future__ import annotations

import json
import pickle
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from queue import SimpleQueue
from typing import Any

from fitlab.errors import PublishError
from fitlab.records import Config, Fit
from fitlab.runner.ahead import Process, is_for, start
from fitlab.runner.signals import interrupts
from fitlab.spec import Spec
from fitlab.store import Store
from fitlab.sweep import Sweep
from fitlab.tracking.links import Published

WORTH = 3.0  # seconds of training, before a process is started that takes a second of CPU to come up
POLL = 0.1  # seconds between looks at the interrupt flag


@dataclass(frozen=True)
class Whole:
    """The end: a sweep without its Fits, the jobs of these in order, and those Fits that were not sent before."""

    sweep: Sweep
    jobs: tuple[str, ...]
    rest: Mapping[str, Fit]

    def put_together(self, sent: Mapping[str, Fit]) -> Sweep:
        """Return the sweep with all its Fits."""
        return replace(self.sweep, fits=tuple(self.rest.get(job) or sent[job] for job in self.jobs))


class Alongside:
    """A process that logs what it is given; used by whoever holds the lock of the sweep. Leaving it ends the process.

    Unless it is given one, a sweep that is trained in ``worth`` seconds has none. Ended at any moment it leaves at most
    a run that the next publishing completes. process: one that was started before; not used if for another sweep.
    """

    def __init__(self, store: Store, spec: Spec, worth: float = WORTH, process: Process | None = None) -> None:
        self.store, self.spec, self.worth = store, spec, worth
        self.began = time.monotonic()
        self._messages: SimpleQueue[Sweep | Whole | None] = SimpleQueue()
        self._sent: set[str] = set()  # digests of jobs
        self._process: Process | None = None
        self._sender: threading.Thread | None = None
        if process is not None and is_for(process, store.root, spec.name):
            self._send_to(process)

    def settled(self, config: Config, fits: tuple[Fit, ...]) -> None:
        """Have a Config logged: none of its Fits will change in this run of the sweep."""
        self._messages.put(Sweep(self.spec, (config,), fits))
        self._sent |= {fit.job.digest for fit in fits}
        if self._process is None and time.monotonic() - self.began > self.worth:
            process = start(self.store.root, self.spec.name)
            if process is not None:
                self._send_to(process)

    def finish(self, sweep: Sweep) -> Published | None:
        """Have the whole sweep logged, and return what was. None where it was not: it is then to be done here.

        Raises KeyboardInterrupt after Ctrl-C, and PublishError where the process found out only now that MLflow does
        not answer: it has waited for that as long as one does. If it had found out earlier, MLflow may be back.
        """
        if self._process is None or self._process.poll() is not None:
            return None
        rest = {fit.job.digest: fit for fit in sweep.fits if fit.job.digest not in self._sent}
        jobs = tuple(fit.job.digest for fit in sweep.fits)
        self._messages.put(Whole(replace(sweep, fits=()), jobs, rest))
        with interrupts(lambda: None) as interrupted:
            while self._process.poll() is None:
                if interrupted():
                    raise KeyboardInterrupt
                time.sleep(POLL)
        assert self._process.stdout is not None  # noqa: S101 (for the type checker: it is a pipe)
        answer = self._process.stdout.read()
        said = json.loads(answer) if answer else None  # none of a process that was killed
        if said is not None and "error" in said:
            raise PublishError(said["error"])
        return said and Published(**said)

    def __enter__(self) -> Alongside:
        return self

    def __exit__(self, *_: object) -> None:
        self._messages.put(None)
        if self._process is not None and self._sender is not None:
            self._process.kill()
            self._sender.join()
            with suppress(BrokenPipeError), self._process:
                pass  # waits for it and closes its pipes

    def _send_to(self, process: Process) -> None:
        """Begin to send what there is to a process."""
        self._process = process
        self._sender = threading.Thread(target=_send, args=(process.stdin, self._messages), daemon=True)
        self._sender.start()


def _send(pipe: Any, messages: SimpleQueue[Sweep | Whole | None]) -> None:
    """Write messages to the process; in a thread, because a process that is busy reads late.

    Whatever goes wrong ends the process, which would wait for the rest for ever, and ``finish`` for the process: an
    object may change while it is written, because others are using it.
    """
    try:
        while (message := messages.get()) is not None:
            pickle.dump(message, pipe)
            pipe.flush()
    except (OSError, RuntimeError, ValueError, TypeError, AttributeError, pickle.PicklingError):
        with suppress(OSError):  # it has ended
            pipe.close()
