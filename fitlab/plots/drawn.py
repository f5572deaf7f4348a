"""What a figure shows, kept with it: every plot leaves its record in the axes, for caption, csv and provenance."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure, FigureBase

from fitlab.plots.latex import for_latex
from fitlab.plots.shared import nothing
from fitlab.records import Config
from fitlab.seeds import digest
from fitlab.sweep import Sweep

STUDENT = "Student-t over seeds"


@dataclass(frozen=True)
class Origin:
    """Where the numbers of a figure are from."""

    sweep: str  # its name
    question: str
    spec: str  # digest of the Spec
    seeds: tuple[int, ...]
    level: float  # of the intervals
    interval: str  # the method of the intervals
    configs: tuple[str, ...]  # digests of the Configs that are shown
    runs: Mapping[str, str] = field(default_factory=dict)  # Config digest -> MLflow run, of those that are published

    @property
    def plain(self) -> dict[str, Any]:
        """As JSON data."""
        return {
            "sweep": self.sweep,
            "question": self.question,
            "spec": self.spec,
            "seeds": list(self.seeds),
            "n_seeds": len(self.seeds),
            "level": self.level,
            "interval": self.interval,
            "configs": [{"config": one, "mlflow_run": self.runs.get(one)} for one in self.configs],
        }


class Drawn(Protocol):
    """The record of a plot: what is drawn, number by number."""

    @property
    def origin(self) -> Origin | None:
        """Where the numbers are from; None: a DataFrame of the user's."""

    @property
    def caption(self) -> str:
        """What stands below the figure: what is shown, n, seeds, interval."""

    def table(self) -> pd.DataFrame:
        """What is drawn, a row a point."""


def origin_of(sweep: Sweep, configs: Iterable[Config] | None = None, interval: str = STUDENT) -> Origin:
    """Return where numbers of a Sweep are from. configs: those that are shown; default: all."""
    shown = tuple(config.digest for config in (sweep.configs if configs is None else configs))
    spec = digest(sweep.spec.model_dump(mode="json"))
    runs = {one: sweep.runs[one] for one in shown if one in sweep.runs}
    level = sweep.spec.diagnosis.level
    return Origin(
        sweep.spec.name, sweep.spec.question, spec, tuple(sweep.spec.seeds.values), level, interval, shown, runs
    )


class _Note(Artist):
    """An artist that is never seen. It lives as long as what was drawn: ``ax.clear()`` removes it."""

    def __init__(self, record: Drawn) -> None:
        super().__init__()
        self.record = record
        self.set_visible(False)
        self.set_in_layout(False)


def shows(ax: Axes, record: Drawn) -> Axes:
    """Leave a record in the axes that show it, and return these."""
    ax.add_artist(_Note(record))
    for_latex(ax)
    return ax


def figure_shows(figure: FigureBase, record: Drawn) -> FigureBase:
    """Leave a record in a figure whose axes show it together."""
    figure.add_artist(_Note(record))
    for_latex(figure)
    return figure


def drawn(what: Axes | FigureBase) -> list[Drawn]:
    """Return the records of what fitlab drew into axes, or into a figure, in the order of drawing."""
    return [note.record for note in what.findobj(_Note) if isinstance(note, _Note)]


def caption(what: Axes | FigureBase) -> str:
    """Return the text that belongs below a figure: what is shown, n, seeds, interval.

    Of several panels it has a sentence each, the same ones once. Raises ValueError where fitlab drew nothing there.
    """
    said = dict.fromkeys(record.caption for record in drawn(what))
    if not said:
        raise nothing("fitlab drew nothing here, so that there is no caption")
    return " ".join(said)


def figure_under(what: Axes | FigureBase) -> Figure:
    """Return the whole figure that axes or a part of a figure lie in. Raises ValueError where there is none."""
    figure = what.get_figure(root=True)
    if figure is None:
        raise nothing("these axes are in no figure any more")
    return figure
