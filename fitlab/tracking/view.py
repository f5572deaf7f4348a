"""The comparison view of an experiment in MLflow's web pages, written by code.

MLflow's UI keeps a shared view in an experiment tag and opens it at ``&viewStateShareKey=KEY``. The shape of that state
is MLflow's own and undocumented: it is that of ``MADE_FOR``, read from its pages and tested in a browser. What is in
the view follows from the sweep alone, times included, so the same sweep gives the same tag.
"""

from __future__ import annotations

import base64
import json
import math
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from fitlab.diagnosis.naming import short
from fitlab.records import Config, Outcome
from fitlab.spec import Spec, domain_of
from fitlab.spec.sweeps import Range
from fitlab.sweep import Sweep, mean_curve
from fitlab.tracking import content
from fitlab.tracking.links import VIEW
from fitlab.tracking.pictures import KEYS, has_pictures
from fitlab.tracking.weights import points_of
from fitlab.verdicts import Label

MADE_FOR = ("3.17",)  # series of MLflow whose pages open it as meant
TAG = f"mlflow.sharedViewState.{VIEW}"
TRAIN, VALIDATION, GAP = "loss/train", "loss/val", "final/gap/loss"
FINAL = "final/loss/val"
WIDE = 10.0  # a ratio from which a swept parameter is drawn on a logarithmic axis
STEEP = 30.0  # the same for losses
BELOW = 100.0  # how far below the typical validation loss a logarithmic axis goes: memorised losses fall for ever
MODELS = ("model.kind", "model.estimator")  # what tells alternatives of ``model`` apart
OURS, REST, PICTURES = "fitlab", "fitlab-rest", "weights and biases"
SEEN = {  # how ``COLOURS`` look
    Label.GOOD: "green",
    Label.BENIGN: "light blue",
    Label.UNDERFIT: "blue",
    Label.OVERFIT: "orange",
    Label.NOT_CONVERGED: "yellow",
    Label.DIVERGED: "black",
    Label.UNSTABLE: "pink",
    Label.INCONCLUSIVE: "grey",
    Label.NOT_ASSESSED: "light grey",
}


def refused(version: str) -> str | None:
    """Return why a view cannot be written for an MLflow of ``version``, or None."""
    series = ".".join(version.split(".")[:2])
    return None if series in MADE_FOR else f"it is made for MLflow {', '.join(MADE_FOR)}, and this is {version[:20]!r}"


def tag(sweep: Sweep) -> str:
    """Return the value of the experiment tag that holds the view of a sweep that has Fits."""
    known = [fit.provenance for fit in sweep.fits if fit.provenance is not None]
    packed = base64.b64encode(zlib.compress(json.dumps(state(sweep)).encode(), 9)).decode()
    return json.dumps(
        {
            "name": OURS,
            "createdAt": min(one.started_ms for one in known),
            "updatedAt": max(one.ended_ms for one in known),
            "state": f"deflate;{packed}",
        }
    )


def state(sweep: Sweep) -> dict[str, Any]:
    """Return what MLflow's page of an experiment is to show, in its own words."""
    config, keys = sweep.configs[0], swept_params(sweep)
    columns = [*(f"params.`{key}`" for key in keys), f"metrics.`{FINAL}`", f"metrics.`{GAP}`"]
    return {
        "searchFilter": 'tags.`fitlab.kind` = "config" and tags.`fitlab.current` = "true"',
        "orderByKey": f"metrics.`{FINAL}`",
        "orderByAsc": True,
        "startTime": "ALL",
        "lifecycleFilter": "Active",
        "datasetsFilter": [],
        "modelVersionFilter": "All Runs",
        "selectedColumns": [*columns, "tags.`fitlab.verdict`", "tags.`fitlab.outcomes`"],
        "columnOrder": [],
        "columnWidths": {},
        "runsExpanded": {},
        "runsPinned": [],
        "runsHidden": [],
        "runsVisibilityMap": {},
        "runsHiddenMode": "SHOW_ALL",
        "compareRunCharts": list(_charts(sweep, keys)),
        "compareRunSections": _sections(_heading(sweep), _metrics(sweep, config)),
        "viewMaximized": False,
        "runListHidden": False,
        "isAccordionReordered": True,  # else MLflow sorts our section among its own
        "useGroupedValuesInCharts": True,
        "hideEmptyCharts": True,
        "groupBy": None,
        "groupsExpanded": {},
        "autoRefreshEnabled": True,
        "globalLineChartConfig": {"xAxisKey": "step", "lineSmoothness": 0, "selectedXAxisMetricKey": ""},
    }


# ── swept parameters as axes ────────────────────────────────────────────────────────────────────────────────────


def swept_params(sweep: Sweep) -> list[str]:
    """Return the swept keys that every Config has, as its runs have them; MLflow draws no others."""
    said = [content.params(config) for config in sweep.configs]
    keys = [key for name in domain_of(sweep.spec) for key in (MODELS if name == "model" else (name,))]
    kept = [key for key in keys if all(key in params for params in said)]
    return [key for key in kept if key not in MODELS or len({params[key] for params in said}) > 1]


def logarithmic(spec: Spec) -> list[str]:
    """Return the swept keys whose values are positive numbers (or layers of one size) over a factor of ``WIDE``."""
    found = []
    for key, domain in domain_of(spec).items():
        values = (domain.low, domain.high) if isinstance(domain, Range) else domain.values
        numbers = [_number(value) for value in values]
        if all(number is not None and number > 0 for number in numbers):
            least, most = min(n for n in numbers if n), max(n for n in numbers if n)
            found += [key] if most / least >= WIDE else []
    return found


def scaled(spec: Spec, config: Config) -> dict[str, float]:
    """Return metrics that say the swept values of a Config to base 10: MLflow's parallel axes are linear in them.

    Its axes of params are linear, or text in alphabetical order: 1e-4 and 1e-2 fall together, [128] stands below [2].
    """
    numbers = {name: _number(config.swept.get(key)) for key, name in log_names(spec).items()}
    return {name: math.log10(number) for name, number in numbers.items() if number is not None}


def log_names(spec: Spec) -> dict[str, str]:
    """Return the metrics that stand for the ``logarithmic`` keys: their last parts, where that is clear."""
    keys, parts = logarithmic(spec), [short(key) for key in domain_of(spec)]
    return {key: f"log10/{short(key) if parts.count(short(key)) == 1 else key}" for key in keys}


def _number(value: Any) -> float | None:
    """Return a number, also of a list of one, or None."""
    if isinstance(value, Sequence) and not isinstance(value, str) and len(value) == 1:
        (value,) = value
    plain = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if plain else None


# ── charts ──────────────────────────────────────────────────────────────────────────────────────────────────────


def _charts(sweep: Sweep, keys: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Yield the charts in two columns: curves on the left, what they ended with on the right."""
    extent = _extent(sweep)
    yield _curves("overlay", [TRAIN, VALIDATION], extent)
    yield _chart("SCATTER", "gap", xaxis=_axis(FINAL), yaxis=_axis(GAP))
    yield _curves("validation", [VALIDATION], {**extent, "range": {}})
    logs = {key: name for key, name in log_names(sweep.spec).items() if key in keys}
    if keys:
        yield _chart(
            "PARALLEL",
            "parallel",
            selectedParams=[key for key in keys if key not in logs],
            selectedMetrics=[*logs.values(), FINAL],  # the last one colours the lines
            showAllRuns=False,
        )

    last = max(fit.epochs for fit in sweep.fits)
    for key in KEYS if any(has_pictures(sweep, config) for config in sweep.configs) else ():
        section = {"metricSectionId": f"{REST}-{PICTURES}"}
        yield {**_chart("IMAGE", key, imageKeys=[key], step=last, showRunParams=False), **section}


def _metrics(sweep: Sweep, config: Config) -> Iterator[str]:
    """Yield the metrics that the run of a Config has, those of verdicts that any has among them."""
    yield from (key for one in sweep.configs for key in content.standing(sweep, one)[1])
    points = [*content.config_metrics(sweep, config), *points_of(sweep.completed(config))]
    yield from (key for key, _, _ in points)


def _curves(name: str, metrics: Sequence[str], extent: Mapping[str, Any]) -> dict[str, Any]:
    """Return a chart of curves; of bars where every curve is one point."""
    chosen = {"metricKey": metrics[0], "selectedMetricKeys": metrics}
    if extent["epochs"] < 2:
        return _chart("BAR", name, **chosen)
    return _chart(
        "LINE",
        name,
        **chosen,
        lineSmoothness=0,
        useGlobalLineSmoothing=False,
        xAxisKey="step",
        xAxisScaleType="linear",
        selectedXAxisMetricKey="",
        useGlobalXaxisKey=True,
        scaleType=extent["scale"],
        range=extent["range"],
        yAxisKey="metric",
        yAxisExpressions=[],
        displayPoints=False,
        ignoreOutliers=False,
    )


def _chart(kind: str, name: str, **options: Any) -> dict[str, Any]:
    fixed = {"uuid": f"{OURS}-{name}", "metricSectionId": OURS, "deleted": False, "isGenerated": False}
    return {"type": kind, **fixed, "runsCountToCompare": 100, **options}


def _axis(metric: str) -> dict[str, str]:
    return {"key": metric, "type": "METRIC"}


def _extent(sweep: Sweep) -> dict[str, Any]:
    """Return how the axis of losses is to be drawn: its scale and, where that is logarithmic, its range in powers."""
    fits = [[fit for fit in sweep.of(config) if fit.outcome is Outcome.COMPLETED] for config in sweep.configs]
    shown = [some for some in fits if some and all(len(fit.curves) for fit in some)]
    if not shown:
        return {"epochs": 0, "scale": "linear", "range": {}}
    epochs = max(len(fit.curves) for some in shown for fit in some)
    validation = [mean_curve(VALIDATION, some) for some in shown]
    losses = np.concatenate([*(mean_curve(TRAIN, some) for some in shown), *validation])
    losses = losses[np.isfinite(losses)]
    if not len(losses) or losses.min() <= 0 or losses.max() < STEEP * losses.min():
        return {"epochs": epochs, "scale": "linear", "range": {}}
    floor = min(np.median([curve[-1] for curve in validation]) / BELOW, *(np.nanmin(curve) for curve in validation))
    low, high = math.log10(max(losses.min(), floor)), math.log10(losses.max())
    margin = 0.03 * (high - low)
    return {"epochs": epochs, "scale": "log", "range": {"yMin": low - margin, "yMax": high + margin}}


def _sections(heading: str, metrics: Iterator[str]) -> list[dict[str, Any]]:
    """Return our section, open, and those into which MLflow will put a chart of each metric, closed."""
    ours = {"uuid": OURS, "name": heading, "display": True, "isReordered": True, "columns": 2, "cardHeight": 360}
    groups = {metric.rpartition("/")[0] for metric in metrics} - {""}
    rest = [PICTURES, *sorted({*groups, "log10"}), "Model metrics", "System metrics"]  # the last two are MLflow's
    closed = [{"uuid": f"{REST}-{name}", "name": name, "display": False, "isReordered": False} for name in rest]
    return [{**section, "deleted": False, "isGenerated": False} for section in (ours, *closed)]


def _heading(sweep: Sweep) -> str:
    """Return what the colours mean, the most frequent first: MLflow has no other place for words among charts."""
    labels = Counter(verdict.label for verdict in sweep.verdicts.by_config.values())
    words = [f"{SEEN[label]} {label}".replace("_", " ") for label, _ in labels.most_common()]
    return ", ".join(words) or f"{len(sweep.configs)} Configs"
