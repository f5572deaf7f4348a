"""Where the runs of a sweep are, as its report says it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from fitlab.records import Config


@dataclass(frozen=True)
class Logged:
    """Where a sweep was published."""

    uri: str  # without a password
    experiment: str  # its id
    base: str  # address at which its pages are, or will be while somebody serves them
    link: str  # of the comparison
    local: bool  # its pages are there while ``fitlab ui`` runs
    runs: Mapping[str, str] = field(default_factory=dict)  # Config digest -> run id

    @property
    def where(self) -> str:
        """Where it is, without the folders of this machine: a report is given to others."""
        return f"of the store's {self.uri.rpartition('/')[2]}" if self.local else f"at {self.uri}"

    def page(self, config: Config) -> str:
        """Return the address of a Config's run; empty where it has none."""
        run = self.runs.get(config.digest)
        return f"{self.base}/#/experiments/{self.experiment}/runs/{run}" if run else ""
