"""The command line. Commands import what they need in their bodies, so that ``--help`` is quick."""

from __future__ import annotations

import sys

from fitlab.cli.app import app
from fitlab.errors import FitlabError


def main() -> None:
    """Run a command; an error is one block on stderr and its exit code, a traceback only with ``--debug``."""
    debug = "--debug" in sys.argv
    sys.argv = [word for word in sys.argv if word != "--debug"]
    try:
        app()
    except FitlabError as error:
        if debug:
            raise
        print(f"fitlab: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
