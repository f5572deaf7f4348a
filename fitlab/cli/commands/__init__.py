"""The commands, as ``--help`` lists them. Each imports what it needs in its body, so that help is quick."""

from fitlab.cli.commands import experiments, results, store
from fitlab.cli.commands.options import app

__all__ = ["app", "experiments", "results", "store"]
