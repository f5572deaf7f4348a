"""What a run says: params, metrics, tags and names, from records alone. The same records give the same run."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np

from fitlab.diagnosis import reason
from fitlab.diagnosis.naming import in_markdown, name_of, shown
from fitlab.diagnosis.words import selection_words
from fitlab.errors import readable
from fitlab.expectations import each_claim, in_three_sentences
from fitlab.records import Config, Fit, Floats, Outcome
from fitlab.seeds import canonical, digest, leaves
from fitlab.spec import domain_of
from fitlab.sweep import CONSTANT, Sweep, epochs_of, mean_curve
from fitlab.verdicts import COLOURS, State

FIT_POINTS = 16  # of a metric on the run of a Fit: a point costs MLflow 50 us of CPU, and the file has them all
HOW_TO_READ = (
    "A run is a Config: the mean over its seeds, coloured by its verdict, the lowest validation loss first. "
    "In `loss/train vs loss/val` the train loss is solid and the validation loss dashed: where they part, it "
    "memorises; where both stay high, it is too small. Seeds are the child runs of a run; the run `summary` (shown "
    "when the filter is cleared) has the table and `diagnosis.json`. When the page is reloaded MLflow "
    "forgets this view, unless you click `Override saved view`: open the link that fitlab prints once more."
)
BRIEF = 8  # characters of a number in a name
CONFIG_POINTS = 64  # on the run of a Config, whose curves are the first that one sees; 40 draw wider spikes
Point = tuple[str, float, int]  # key, value, step


def config_identity(sweep: Sweep, config: Config) -> str:
    """Return what changes when the run of a Config must say something else: its Fits, or the level."""
    fits = [fit.content_digest for fit in sweep.of(config)]
    return digest([config.digest, fits, sweep.spec.diagnosis.level])


def sweep_identity(sweep: Sweep) -> str:
    """Return what changes whenever anything that is published changes."""
    return digest([spec_record(sweep), *(config_identity(sweep, config) for config in sweep.configs)])


def spec_record(sweep: Sweep) -> dict[str, Any]:
    """Return the spec as it is published: all but how Fits are run, which changes nothing that they are."""
    spec: dict[str, Any] = sweep.spec.model_dump(mode="json", exclude_unset=True, exclude={"run"})
    return spec


def standing(sweep: Sweep, config: Config) -> tuple[dict[str, str], dict[str, float]]:
    """Return what the run of a Config says that depends on other Configs, too: tags, and metrics of one point.

    Empty where the sweep is not diagnosed, as while others are still trained.
    """
    verdict = sweep.verdicts.by_config.get(config.digest)
    if verdict is None:
        return {}, {}
    tags = {
        "fitlab.verdict": verdict.text,
        "fitlab.reason": reason(verdict),
        "mlflow.runName": f"{config_name(config)} · {verdict.brief}",
        "mlflow.runColor": COLOURS[verdict.label],
    }
    metrics = {
        f"verdict/{name}{end}": value
        for name, one in verdict.reasons.items()
        if name in ("excess", "distance")
        for end, value in (("", one.estimate), ("/low", one.low), ("/high", one.high))
    }
    return tags, {name: value for name, value in metrics.items() if math.isfinite(value)}


def thinned(length: int, points: int) -> np.ndarray:
    """Return at most ``points`` of the indices 0..length-1, geometrically spaced, the first and last among them."""
    if length <= points:
        return np.arange(length)
    spaced = np.geomspace(1, length - 1, points - 1)
    indices = np.unique(np.round(spaced).astype(int))
    free = np.setdiff1d(np.arange(1, length), indices)  # rounding makes early points coincide: fill up from there
    indices = np.union1d(indices, free[: points - 1 - len(indices)])
    return np.concatenate([[0], indices])


def params(config: Config) -> dict[str, str]:
    """Return every value of a Config under its dotted key."""
    plain = {key: value for key, value in config.plain.items() if value is not None}  # an estimator has no training
    return {key: readable(value) if isinstance(value, str) else canonical(value) for key, value in leaves(plain)}


def own_params(config: Config) -> dict[str, str]:
    """Return of ``params`` those that are swept or not at their default: a param costs MLflow a row, and the run of the
    Config has all."""
    set_to = {key for key, _ in leaves(config.identity)}
    return {key: value for key, value in params(config).items() if key in set_to or key in config.swept}


def config_name(config: Config) -> str:
    """Return the swept values in the order of the spec, such as ``[32] · 0.01``: MLflow's column is narrow.

    Drawn numbers are given with four digits; the run's params have all.
    """
    return " · ".join(_brief(value) for value in config.swept.values()) or "the one Config"


def _brief(value: Any) -> str:
    text = shown(value)
    return shown(float(f"{value:.4g}")) if isinstance(value, float) and len(text) > BRIEF else text


def swept_words(config: Config) -> str:
    """Return the swept keys with their values, such as ``model.hidden_layer_sizes = [32], training.alpha = 0.01``, as
    Markdown.
    """
    return ", ".join(f"{key} = {in_markdown(shown(value))}" for key, value in config.swept.items())


def fit_metrics(fit: Fit) -> list[Point]:
    """Return the thinned curves of a Fit, and what it ended with; the gap as a curve is the Config's."""
    if not len(fit.curves):
        return []
    curves = dict(fit.curves.values)
    one = {f"final/{name}": value for name, value in fit.final.items()}
    one["final/gap/loss"] = one["final/loss/val"] - one["final/loss/train"]
    return _points(curves, fit.curves.epoch, FIT_POINTS, {**one, **_best(curves["loss/val"], fit.curves.epoch)})


def config_metrics(sweep: Sweep, config: Config) -> list[Point]:
    """Return the mean curves over completed seeds, and what they ended with, with intervals.

    A seed that stopped early goes on as it ended. Of a Config that was given up, the curves up to there.
    """
    given_up = Outcome.PRUNED in {fit.outcome for fit in sweep.of(config)}
    fits = tuple(fit for fit in sweep.of(config) if fit.outcome in (Outcome.COMPLETED, Outcome.PRUNED))
    if not fits or not all(len(fit.curves) for fit in fits):
        return []
    epoch = epochs_of(fits)
    curves = {name: mean_curve(name, fits) for name in fits[0].curves.values}
    curves["gap/loss"] = curves["loss/val"] - curves["loss/train"]
    if given_up:
        return _points(curves, epoch, CONFIG_POINTS, {})
    one = _best(curves["loss/val"], epoch)
    for name, interval in sweep.intervals(config).items():
        one[f"final/{name}"] = interval.estimate
        one |= {f"ci/{name}/low": interval.low, f"ci/{name}/high": interval.high}
    return _points(curves, epoch, CONFIG_POINTS, one)


def _best(curve: Floats, epoch: np.ndarray) -> dict[str, float]:
    at = int(np.argmin(curve))
    return {"best/loss/val": float(curve[at]), "best/epoch": float(epoch[at])}


def _points(curves: Mapping[str, Floats], epoch: np.ndarray, points: int, one: Mapping[str, float]) -> list[Point]:
    """Return every point that is a number: a missing one is not logged."""
    chosen = thinned(len(epoch), points)
    many = [(name, float(curve[i]), int(epoch[i])) for name, curve in curves.items() for i in chosen]
    return [p for p in (*many, *((name, value, 0) for name, value in one.items())) if math.isfinite(p[1])]


def outcome_counts(fits: tuple[Fit, ...]) -> str:
    """Return the outcomes in words, such as ``4 completed, 1 diverged``."""
    counts = Counter(str(fit.outcome) for fit in fits)
    return ", ".join(f"{counts[o]} {o}" for o in map(str, Outcome) if counts[o]) or "none"


def config_status(fits: tuple[Fit, ...]) -> str:
    """Return MLflow's status of a Config: finished if anything completed, else what its Fits came to."""
    outcomes = {fit.outcome for fit in fits}
    if outcomes <= {Outcome.PRUNED, Outcome.COMPLETED} and Outcome.PRUNED in outcomes:
        return "KILLED"  # given up, though some of its seeds may have stopped early before
    return "FINISHED" if Outcome.COMPLETED in outcomes else "FAILED"


FIT_STATUS = {Outcome.COMPLETED: "FINISHED", Outcome.PRUNED: "KILLED"}


def findings_markdown(sweep: Sweep) -> str:
    """Return what is said of the sweep as a whole: verdicts, what was claimed and came out, the selected Config, what
    checks found.
    """
    verdicts = sweep.verdicts
    counts = Counter(verdict.text for verdict in verdicts.by_config.values())
    lines = [", ".join(f"**{counts[text]} {text}**" for text in sorted(counts, key=lambda text: -counts[text]))]
    lines.append(in_three_sentences(sweep.claims))
    chosen = _selected(sweep)
    if verdicts.selection is not None and chosen is not None:
        lines.append(f"{selection_words(verdicts.selection)} It is {swept_words(chosen) or 'the one Config'}.")
    found = [check for check in verdicts.checks if check.state is State.FOUND]
    lines += [f"- **{check.code} {check.title}**: {in_markdown(f'{check.said} {check.advice}')}" for check in found]
    return "\n\n".join(line for line in lines if line)


def claims_markdown(sweep: Sweep) -> list[str]:
    """Return what came of every claim of the spec, as paragraphs; none where nothing is claimed."""
    return ["**What is claimed, one by one**", each_claim(sweep.claims)] if sweep.claims else []


def experiment_note(sweep: Sweep) -> str:
    """Return what the page of an experiment says: what was asked, claimed and came out, how to read the view.

    MLflow shows the first line; the rest unfolds. What may be cut is at its end.
    """
    verdicts, chosen = sweep.verdicts, _selected(sweep)
    counts = Counter(verdict.text for verdict in verdicts.by_config.values())
    came = ", ".join(f"{count} {text}" for text, count in counts.most_common()) or f"{len(sweep.configs)} Configs"
    best = f"; selected: {in_markdown(name_of(chosen))}" if chosen and chosen.swept else ""
    first = f"**{in_markdown(sweep.spec.question)}** {came}{best}." if sweep.spec.question else f"**{came}**{best}."
    _, *rest = findings_markdown(sweep).split("\n\n")
    return "\n\n".join([first, *rest, HOW_TO_READ, *claims_markdown(sweep)])


def _selected(sweep: Sweep) -> Config | None:
    selection = sweep.verdicts.selection
    return next((config for config in sweep.configs if selection and config.digest == selection.config), None)


def table_markdown(sweep: Sweep) -> str:
    """Return the sweep's table as Markdown: swept values, losses and gap as mean and interval, verdicts."""
    keys = list(domain_of(sweep.spec))
    names = ("loss/train", "loss/val", "gap/loss")
    head = [*(f"`{key}`" for key in keys), *names, "outcomes", "verdict"]
    lines = [" | ".join(head), " | ".join("---" for _ in head)]
    for config in sweep.configs:
        found = sweep.intervals(config)
        cells = [in_markdown(shown(config.swept.get(key, "–"))) for key in keys]
        cells += [str(found[name]) if name in found else "–" for name in names]
        verdict = sweep.verdicts.by_config.get(config.digest)
        lines.append(" | ".join([*cells, outcome_counts(sweep.of(config)), verdict.text if verdict else "–"]))
    for (swept, null), beside in zip(sweep.constants(), sweep.beside_constants(), strict=True):
        cells = [in_markdown(shown(swept.get(key, "–"))) for key in keys]
        cells += [str(null[name]) if name in null else "–" for name in names]
        lines.append(" | ".join([*cells, CONSTANT, beside or "–"]))
    level = sweep.spec.diagnosis.level
    return "\n".join(f"| {line} |" for line in lines) + f"\n\nMean over seeds [Student-t interval, level {level:g}].\n"
