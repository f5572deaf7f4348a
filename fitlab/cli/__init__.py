"""The command line."""

from __future__ import annotations

import io
import os
import signal
import sys

from fitlab.cli.commands import app
from fitlab.errors import FitlabError

INTERRUPTED = 130  # exit code


def main() -> None:
    """Be the program: run a command, and end at once at Ctrl-C where nothing is half done.

    That is everywhere but where a flag is kept instead (``runner.signals``): files are written whole, locks are the
    kernel's. A KeyboardInterrupt would come to nothing where it is raised while libraries are imported, in a callback
    that can raise nothing, and a sweep would begin in spite of it.
    """
    signal.signal(signal.SIGINT, _leave)
    try:
        run()
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # what is left is Python's own end


def _leave(*_: object) -> None:
    os._exit(INTERRUPTED)


def run() -> None:
    """Run a command; an error is one block on stderr and its exit code, a traceback only with ``--debug``."""
    debug = "--debug" in sys.argv
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that has no ● shows ?
    sys.argv = [word for word in sys.argv if word != "--debug"]
    try:
        app()
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except BrokenPipeError:  # `fitlab … | head`: nobody listens any more
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except FitlabError as error:
        if debug:
            raise
        print(f"fitlab: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
    except Exception as error:
        if debug:
            raise
        said = f"{type(error).__name__}: {error}"
        print(f"fitlab: a fault of fitlab itself, please report it: {said}\n--debug shows where", file=sys.stderr)
        sys.exit(1)
