"""Every kind of figure that a Sweep can be drawn as, by name: what it shows, and how it is drawn.

A new plot is one more entry. ``fitlab.runner.kinds`` has those, too, that take data or a study to compute.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fitlab.diagnosis.naming import short
from fitlab.errors import FitlabError
from fitlab.plots.biases import bias_shift
from fitlab.plots.capacity import capacity_curve
from fitlab.plots.curves import learning_curves
from fitlab.plots.excess import gap_vs_excess
from fitlab.plots.landscape import landscape
from fitlab.plots.matrices import weight_heatmap, weight_histograms
from fitlab.plots.norms import norms_vs_gap
from fitlab.plots.parallel import parallel_coordinates
from fitlab.plots.shared import NothingToDrawError, nothing
from fitlab.plots.sizes import sample_size_curve
from fitlab.plots.spectra import spectrum
from fitlab.plots.validation import validation_curve
from fitlab.plots.verdict_map import verdict_map
from fitlab.records import Config
from fitlab.seeds import canonical
from fitlab.spec import domain_of
from fitlab.sweep import Sweep
from fitlab.verdicts import Label

Drawing = tuple[str, Figure]  # the stem of its files, and what was drawn
Draw = Callable[[Sweep], Iterable[Drawing]]


@dataclass(frozen=True)
class Kind:
    """A kind of figure."""

    shows: str  # in a few words
    draw: Draw  # raises NothingToDrawError or FitlabError where it does not apply, saying why


@dataclass(frozen=True)
class Drawn:
    """One figure, or why there is none."""

    kind: str
    stem: str
    figure: Figure | None
    why: str = ""  # it was not drawn


def draw_kinds(sweep: Sweep, kinds: Mapping[str, Kind]) -> Iterator[Drawn]:
    """Yield the figures of some kinds in the style that holds, and for each kind that does not apply why."""
    for name, kind in kinds.items():
        try:
            for stem, figure in kind.draw(sweep):
                yield Drawn(name, stem, figure)
        except (NothingToDrawError, FitlabError) as error:
            yield Drawn(name, name, None, str(error).removeprefix("nothing to draw: "))


def named(kinds: Mapping[str, Kind], names: Iterable[str]) -> Mapping[str, Kind]:
    """Return the kinds of some names. Raises ValueError for a name that there is not, with what may be meant."""
    return {name: kinds[_known(name, kinds)] for name in names}


def _known(name: str, kinds: Mapping[str, Kind]) -> str:
    if name in kinds:
        return name
    near = difflib.get_close_matches(name, kinds, n=1)
    hint = f"; did you mean {near[0]}?" if near else ""
    raise ValueError(f"kind must be one of {', '.join(kinds)}, got {name!r}{hint}")


def telling(sweep: Sweep) -> dict[str, Config]:
    """Return the Configs whose curves say most, each by what it stands for.

    selected: the one that validation chooses, else the best at the objective; underfit and overfit: the one with the
    largest excess of those that are so for certain; first: the first that was measured, where there is none of these.
    """
    verdicts = sweep.verdicts.by_config
    chosen = sweep.verdicts.selection
    best = [one for one in sweep.configs if chosen and one.digest == chosen.config] or [*sweep.best()[:1]]
    found = {"selected": best[0]} if best else {}
    for label in (Label.UNDERFIT, Label.OVERFIT):
        members = [one for one in sweep.configs if one.digest in verdicts and verdicts[one.digest].label is label]
        if members:
            found[str(label)] = max(members, key=lambda one: _excess(sweep, one))
    if not found and sweep.configs:
        measured = [one for one in sweep.configs if any(len(fit.curves) for fit in sweep.completed(one))]
        found = dict(zip(("first",), measured, strict=False))
    return found


def _excess(sweep: Sweep, config: Config) -> float:
    reasons = sweep.verdicts.by_config[config.digest].reasons
    return reasons["excess"].estimate if "excess" in reasons else 0.0


# ── how each is drawn ───────────────────────────────────────────────────────────────────────────────────────


def panel() -> tuple[Figure, Axes]:
    """Return a figure of the size that holds, and its only axes."""
    figure = Figure(layout="constrained")
    return figure, figure.subplots()


def alone(stem: str, plot: Callable[..., object]) -> Draw:
    """Return how a plot that draws into axes is drawn as the only figure of its kind."""

    def draw(sweep: Sweep) -> Iterator[Drawing]:
        figure, ax = panel()
        plot(sweep, ax=ax)
        yield stem, figure

    return draw


def together(stem: str, plot: Callable[..., object]) -> Draw:
    """Return how a plot that fills a figure with its panels is drawn."""

    def draw(sweep: Sweep) -> Iterator[Drawing]:
        figure = Figure(layout="constrained")
        plot(sweep, figure=figure)
        yield stem, figure

    return draw


def _learning_curves(sweep: Sweep) -> Iterator[Drawing]:
    found = telling(sweep)
    if not found:
        raise nothing("no Config completed")
    if all(len(fit.curves) < 2 for config in found.values() for fit in sweep.of(config)):
        raise nothing("every Config has one point alone, no epochs")
    for role, config in found.items():
        figure, ax = panel()
        learning_curves(sweep, config=config, ax=ax)
        yield f"learning_curves_{role}", figure


def _validation_curves(sweep: Sweep) -> Iterator[Drawing]:
    """Draw a metric along every key that is swept, all else as in the selected Config."""
    keys = [key for key in domain_of(sweep.spec) if len({canonical(one.swept.get(key)) for one in sweep.configs}) > 1]
    if not keys:
        raise nothing("nothing is swept")
    config = next(iter(telling(sweep).values()), None)
    if config is None:
        raise nothing("no Config completed")
    for key in keys:
        figure, ax = panel()
        validation_curve(sweep, key, config=config if len(keys) > 1 else None, ax=ax)
        yield f"validation_curve_{short(key)}", figure


KINDS: Mapping[str, Kind] = {
    "learning_curves": Kind("train and validation curves of telling Configs", _learning_curves),
    "landscape": Kind("validation loss over what is swept", together("landscape", landscape)),
    "verdict_map": Kind("verdicts over what is swept", alone("verdict_map", verdict_map)),
    "gap_vs_excess": Kind("gap against excess over the best Config", alone("gap_vs_excess", gap_vs_excess)),
    "capacity_curve": Kind("loss against capacity", alone("capacity_curve", capacity_curve)),
    "sample_size_curve": Kind("loss against the number of rows", alone("sample_size_curve", sample_size_curve)),
    "validation_curve": Kind("loss along each swept key", _validation_curves),
    "parallel_coordinates": Kind("swept values and loss", alone("parallel_coordinates", parallel_coordinates)),
    "spectrum": Kind("singular values of the weights of the selected Config", alone("spectrum", spectrum)),
    "weight_histograms": Kind("how weights are spread", alone("weight_histograms", weight_histograms)),
    "weight_heatmap": Kind("the weights of a layer", alone("weight_heatmap", weight_heatmap)),
    "bias_shift": Kind("how much biases shift", alone("bias_shift", bias_shift)),
    "norms_vs_gap": Kind("norm of the weights against the gap", alone("norms_vs_gap", norms_vs_gap)),
}
