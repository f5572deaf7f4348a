"""The three kinds of runs as they are to be: of a Config, of a Fit, and the summary of a sweep."""

from __future__ import annotations

import getpass
import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from mlflow.entities import Dataset, DatasetInput, InputTag

from fitlab.diagnosis import document
from fitlab.diagnosis.naming import in_markdown
from fitlab.errors import PublishError, readable
from fitlab.records import RECORD_VERSION, Config, Fit, Outcome, Provenance, finite
from fitlab.reporting.logged import Logged
from fitlab.reporting.written import PAGE as REPORT
from fitlab.reporting.written import write_logged
from fitlab.seeds import digest
from fitlab.sweep import Sweep
from fitlab.tracking import content, view
from fitlab.tracking.links import ARTIFACT
from fitlab.tracking.pictures import LOGGED_IMAGES, PAGE, has_pictures, write_files
from fitlab.tracking.weights import points_of

NAME = "mlflow.runName"
NOTE = 7000  # characters of a note, at most
LONGEST, LONGEST_NAME = 8000, 250  # characters that MLflow's tables have room for, in a tag and in a run's name


@dataclass(frozen=True)
class Wanted:
    """One run as it is to be: what identifies it, and what it says."""

    kind: str  # fit, config or summary
    key: str  # digest of the job, of the Config, or the sweep's name
    identity: str  # other identity, other run
    name: str
    status: str
    provenance: Provenance
    tags: Mapping[str, str]
    params: Mapping[str, str] = field(default_factory=dict)
    metrics: Callable[[], Sequence[content.Point]] = lambda: ()  # asked for where they are not logged yet
    standing: Mapping[str, float] = field(default_factory=dict)  # metrics of one point that depend on other Configs
    datasets: Sequence[Any] = ()
    artifacts: Callable[[Path], None] | None = None  # writes the files into an empty folder
    file: str = ""  # the name of one of these, which is looked for where they lie on this machine

    @property
    def all_tags(self) -> dict[str, str]:
        """Its tags, its name among them, as every database takes them: SQLite alone has columns of any width."""
        tags = {key: readable(value) for key, value in {**self.tags, NAME: self.name}.items()}
        return {key: _cut(value, LONGEST_NAME if key == NAME else LONGEST) for key, value in tags.items()}


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 1]}…"


def _tags(kind: str, key: str, identity: str) -> dict[str, str]:
    return {
        "fitlab.kind": kind,
        "fitlab.digest": key,
        "fitlab.identity": identity,
        "fitlab.record_version": str(RECORD_VERSION),
        "fitlab.current": "true",
    }


def source_tags(provenance: Provenance) -> dict[str, str]:
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a user id without a name, as in many containers
        user = str(os.getuid())
    tags = {"mlflow.user": user, "mlflow.source.name": "fitlab", "mlflow.source.type": "LOCAL"}
    if provenance.commit is not None:
        tags |= {
            "mlflow.source.git.commit": provenance.commit,
            "fitlab.dirty": str(bool(provenance.dirty)).lower(),
        }
    return tags


def fit_run(fit: Fit, packed: Callable[[Fit], bytes]) -> Wanted:
    job, provenance = fit.job, _provenance([fit])
    identity = fit.content_digest
    tags = _tags("fit", job.digest, identity)
    tags |= {"fitlab.config": job.config.digest, "fitlab.outcome": str(fit.outcome)}
    tags |= {"fitlab.cause": fit.cause} if fit.cause else {}
    tags |= {"fitlab.loss": fit.loss} if fit.loss else {}
    tags |= _environment([fit])
    extra = {"seed": str(job.seed)} | ({} if job.random_state is None else {"random_state": str(job.random_state)})

    def artifacts(folder: Path) -> None:
        (folder / ARTIFACT).write_bytes(packed(fit))  # as the sweep reads it: the store may have more of it

    return Wanted(
        kind="fit",
        key=job.digest,
        identity=identity,
        name=f"seed {job.seed}",
        status=content.FIT_STATUS.get(fit.outcome, "FAILED"),
        provenance=provenance,
        tags=tags,
        params={**content.own_params(job.config), **extra},
        metrics=lambda: [*content.fit_metrics(fit), *points_of([fit])],
        artifacts=artifacts,
        file=ARTIFACT,
    )


def config_run(sweep: Sweep, config: Config) -> Wanted:
    fits = sweep.of(config)
    identity = content.config_identity(sweep, config)
    counts = content.outcome_counts(fits)
    tags = _tags("config", config.digest, identity)
    tags |= {
        "fitlab.config": config.digest,
        "fitlab.outcomes": counts,
        "mlflow.note.content": _note(sweep, config),
        **_environment(fits),
    }
    said, standing = content.standing(sweep, config)
    tags |= said
    provenance, shown = _provenance(fits), has_pictures(sweep, config)
    tags |= {LOGGED_IMAGES: "True"} if shown else {}

    def artifacts(folder: Path) -> None:
        write_files(sweep, config, content.config_name(config), identity, provenance.ended_ms, folder)

    return Wanted(
        kind="config",
        key=config.digest,
        identity=identity,
        name=said.get(NAME, content.config_name(config)),
        status=content.config_status(fits),
        provenance=provenance,
        tags=tags,
        params=content.params(config),
        metrics=lambda: [*content.config_metrics(sweep, config), *points_of(sweep.completed(config))],
        standing={**standing, **view.scaled(sweep.spec, config)},
        datasets=[_dataset(fits[0])],
        artifacts=artifacts if shown else None,
        file=PAGE if shown else "",
    )


def _note(sweep: Sweep, config: Config) -> str:
    found = sweep.intervals(config)
    verdict = sweep.verdicts.by_config.get(config.digest)
    lines = [verdict.note, "", "---", ""] if verdict else []
    lines += [f"{content.swept_words(config)}\n"] if config.swept else []
    lines += [f"**{content.outcome_counts(sweep.of(config))}** over {len(sweep.of(config))} seeds."]
    lines += [f"- `{name}` {interval} (n = {interval.n})" for name, interval in found.items()]
    if found:
        lines += [
            "",
            f"Last epoch: mean over seeds [Student-t interval, level {sweep.spec.diagnosis.level:g}].",
        ]
    given_up = {fit.epochs for fit in sweep.of(config) if fit.outcome is Outcome.PRUNED}
    if given_up:
        lines += [f"Given up at epoch {max(given_up)}: at that rung other Configs of the search were better."]
    lines += ["Curves of this run are means over its seeds; the nested runs hold each seed's own."]
    return "\n".join(lines)


def summary_run(sweep: Sweep, logged: Logged | None = None) -> Wanted:
    """Return the run of a sweep as a whole. logged: where its Configs are, for the links of its report."""
    name, said = sweep.spec.name, finite(document(sweep)) if sweep.verdicts.by_config else None
    identity = digest([content.sweep_identity(sweep), said])
    table = content.table_markdown(sweep)
    question = f"**{in_markdown(sweep.spec.question)}**\n\n" if sweep.spec.question else ""
    findings = "\n\n".join([content.findings_markdown(sweep), *content.claims_markdown(sweep), ""]) if said else ""
    whole = question + findings + table
    note = whole if len(whole) < NOTE else f"{question}{findings}"[:NOTE] + f"{len(sweep.configs)} Configs: table.md."
    counts = content.outcome_counts(sweep.fits)

    def artifacts(folder: Path) -> None:
        files = {
            "table.csv": sweep.table().to_csv(),
            "table.md": whole,
            **({"diagnosis.json": json.dumps(said, indent=1, ensure_ascii=False)} if said else {}),
            "spec.json": json.dumps(content.spec_record(sweep), indent=1),
        }
        for file, text in files.items():
            (folder / file).write_text(text, encoding="utf-8")
        write_logged(sweep, folder, logged)

    totals = {"count/configs": len(sweep.configs), "count/fits": len(sweep.fits)}
    return Wanted(
        kind="summary",
        key=name,
        identity=identity,
        name="summary",
        status="FINISHED",
        provenance=_provenance(sweep.fits),
        tags={
            **_tags("summary", name, identity),
            "fitlab.outcomes": counts,
            "mlflow.note.content": note,
            **_environment(sweep.fits),
        },
        metrics=lambda: [(key, float(value), 0) for key, value in totals.items()],
        artifacts=artifacts,
        file=REPORT,
    )


def _provenance(fits: Sequence[Fit]) -> Provenance:
    """Return when and by what a set of Fits was made: from the first start to the last end."""
    known = [fit.provenance for fit in fits if fit.provenance is not None]
    if not known:
        raise PublishError("a Fit without provenance cannot be published")
    start, end = min(one.started_ms for one in known), max(one.ended_ms for one in known)
    newest = max(known, key=lambda one: one.ended_ms)
    return replace(newest, started_ms=start, seconds=(end - start) / 1000)


def _environment(fits: Sequence[Fit]) -> dict[str, str]:
    """Return what Fits were made with, as tags: versions, CPU and BLAS; where they differ each of them is said."""
    found: dict[str, dict[str, None]] = {"fitlab.versions": {}, "fitlab.cpu": {}, "fitlab.blas": {}}
    for made in (fit.provenance for fit in fits):
        if made is not None:
            versions = ", ".join(f"{name} {value}" for name, value in sorted(made.versions.items()))
            said = {"fitlab.versions": versions, "fitlab.cpu": made.cpu, "fitlab.blas": made.blas}
            for tag, value in said.items():
                found[tag] |= {value: None} if value else {}
    return {tag: "; ".join(values)[:NOTE] for tag, values in found.items() if values}


def _dataset(fit: Fit) -> Any:
    """Return the data set as MLflow's input: its kind, fingerprint, how it was set up, and its sizes."""
    plain = fit.job.config.plain["data"]
    profile = {key: value for key, value in fit.sizes.items() if key != "n_parameters"}
    made = Dataset(
        name=plain["kind"],
        digest=fit.job.fingerprint[:36],
        source_type="fitlab",
        source=json.dumps(plain),
        profile=json.dumps(profile),
    )
    return DatasetInput(made, [InputTag("mlflow.data.context", "training")])
