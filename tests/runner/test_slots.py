"""A worker process that dies takes its own call along, whatever it was about to say."""

from __future__ import annotations

import os
import signal
import struct
import sys
from concurrent.futures import BrokenExecutor

import pytest

from fitlab.runner.workers import processes

WAIT = 60  # seconds; what takes longer hangs


def killed_in_the_middle_of_an_answer() -> None:
    """Send the length of a long answer and its beginning, as ``multiprocessing`` does, and be killed."""
    frame = sys._getframe()
    while "result_queue" not in frame.f_locals:
        frame = frame.f_back
    os.write(frame.f_locals["result_queue"]._writer.fileno(), struct.pack("!i", 75017) + b"beginning")
    os.kill(os.getpid(), signal.SIGKILL)


def test_killed_in_the_middle_of_an_answer() -> None:
    with processes(1).make() as executor:
        with pytest.raises(BrokenExecutor):
            executor.submit(killed_in_the_middle_of_an_answer).result(WAIT)
        assert executor.submit(os.getpid).result(WAIT) > 0
