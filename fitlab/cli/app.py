"""The commands."""

from __future__ import annotations

import gc
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from fitlab.cli import recorded
from fitlab.errors import FitlabError, SpecError

app = typer.Typer(
    name="fitlab",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    rich_markup_mode="rich",
    help="Does this network overfit, underfit, or fit well, and how sure are we?\n\n"
    "Start with [b]fitlab init[/b], then [b]fitlab sweep experiment.yaml[/b]. "
    "Any command takes [b]--debug[/b]: a traceback instead of a message.\n\n"
    "Exit codes: 0 done, 1 some Fits failed (of reproduce: an expectation did not pass; of doctor: something is "
    "damaged, lost or left behind; of rerun --verify: not equal), "
    "2 the request is wrong, 3 the store is unusable, "
    "4 trained but not published, 130 interrupted.",
)

SpecFile = Annotated[str, typer.Argument(metavar="SPEC", help="A spec: a YAML file.")]
Name = Annotated[str, typer.Argument(metavar="NAME", help="The name of a sweep in the store.")]
Overrides = Annotated[
    list[str] | None,
    typer.Option("-o", "--override", metavar="KEY=VALUE", help="Change a value of the spec; the value is YAML."),
]
StoreFolder = Annotated[str, typer.Option("--store", metavar="DIR", help="The store: Fits, sweeps and MLflow.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout and nothing else.")]
Jobs = Annotated[int | None, typer.Option("--jobs", min=1, help="Workers; default: one a processor.")]
Allow = Annotated[
    list[str] | None,
    typer.Option("--allow", metavar="PACKAGE", help="Estimators may come from it, too; importing runs its code."),
]
DEFAULT_STORE = "mlruns"


@app.command()
def sweep(
    spec: SpecFile,
    override: Overrides = None,
    allow: Allow = None,
    jobs: Jobs = None,
    store: StoreFolder = DEFAULT_STORE,
    retry_failed: Annotated[bool, typer.Option("--retry-failed", help="Train failed Fits again.")] = False,
    no_publish: Annotated[bool, typer.Option("--no-publish", help="Do not log to MLflow.")] = False,
    as_json: Json = False,
) -> None:
    """Run a sweep, log it to MLflow and print its table. Running it again trains only what is missing."""
    from dataclasses import replace

    from fitlab.cli import output, render
    from fitlab.runner.alongside import Alongside
    from fitlab.runner.plan import allowed, read_plan
    from fitlab.runner.verdicts import checked
    from fitlab.runner.workers import default_jobs, workers_for
    from fitlab.store import Store

    made = read_plan(spec, override or (), packages=allowed(allow or ()))
    place = Store.at(store, create=True)
    workers = workers_for(jobs or default_jobs(), None, made.without_lock, made.time_limit)
    document_spec = made.document.spec
    with place.locked(document_spec.name), Alongside(place, document_spec) as alongside:

        def finish(of: Any) -> Any:
            return alongside.finish(of) or _log(place, of)

        try:
            result = _execute(made, place, workers, retry_failed, as_json, None if no_publish else alongside.settled)
        except (KeyboardInterrupt, FitlabError) as stop:
            _cut_short(stop, made, place, None if no_publish else finish)
            raise
        result = replace(result, sweep=checked(result.sweep))
        if not as_json:
            render.sweep_result(made, result)
        published, failure = None, None
        if not no_publish:
            published, failure = _publish(lambda: finish(result.sweep), document_spec.name, place, quiet=as_json)
    if as_json:
        output.out_json(render.sweep_json(result, published, failure, place))
    elif published is not None:
        render.print_published(published, place)
    if failure is not None:
        raise failure
    raise typer.Exit(1 if result.failed else 0)


def _execute(made: Any, place: Any, workers: Any, retry_failed: bool, as_json: bool, on_settled: Any) -> Any:
    """Run a sweep whose lock is held; return its Result."""
    from fitlab.cli import output
    from fitlab.cli.progress import shown
    from fitlab.runner.execute import execute

    with output.only_json(as_json), shown(made.document.spec.name) as report:
        return execute(made, place, workers, report, retry_failed, on_settled or (lambda *_: None), locked=True)


def _cut_short(stop: BaseException, made: Any, place: Any, finish: Any) -> None:
    """Say how far a sweep came that was interrupted or stopped, and log what is there; another Ctrl-C leaves that."""
    from fitlab.cli import output
    from fitlab.errors import PublishError, StoppedError
    from fitlab.runner.execute import Interrupted
    from fitlab.runner.verdicts import checked

    if not isinstance(stop, Interrupted | StoppedError):
        return
    name, done = made.document.spec.name, stop.done if isinstance(stop, StoppedError) else stop.progress.done
    if isinstance(stop, Interrupted):
        of = f"{'at most ' if made.search else ''}{made.fits}"
        output.err(f"fitlab: interrupted; {done} of {of} Fits are kept: run the same command to continue")
    if finish is None or not done or name not in place.names():
        return
    catch_up = f"`fitlab publish {name} --store {place.root}` logs what is there"
    output.err("logging what is there to MLflow; another Ctrl-C leaves that")
    try:
        finish(checked(place.load(name)))
    except PublishError as error:
        output.err(f"fitlab: not published: {error}\n{catch_up}")
    except KeyboardInterrupt:
        output.err(f"fitlab: interrupted while logging to MLflow: {catch_up}")


def _log(place: Any, sweep: Any) -> Any:
    """Publish a sweep whose lock is held. Importing MLflow takes a second, which is spent when this is called."""
    from fitlab.runner.publishing import Log

    gc.set_threshold(20_000, 20, 100)  # MLflow makes many objects that die by themselves, and this process is ours
    return Log(place, sweep.spec.name).finish(sweep)


def _publish(finish: Callable[[], Any], name: str, place: Any, quiet: bool) -> tuple[Any, FitlabError | None]:
    """Publish; return what was published, or the error that says how to catch up."""
    from fitlab.cli import output
    from fitlab.errors import PublishError

    catch_up = f"`fitlab publish {name} --store {place.root}` catches up"
    try:
        with output.status("logging to MLflow …", quiet):
            return finish(), None
    except PublishError as error:
        return None, PublishError(f"trained and stored, but not published: {error}\n{catch_up}")
    except KeyboardInterrupt:
        output.err(f"fitlab: interrupted while logging to MLflow; everything is trained and stored: {catch_up}")
        raise typer.Exit(130) from None


@app.command()
def check(
    spec: SpecFile,
    override: Overrides = None,
    allow: Allow = None,
    no_data: Annotated[bool, typer.Option("--no-data", help="Do not load the data.")] = False,
    as_json: Json = False,
) -> None:
    """Say everything that is wrong with a spec, each with file and line, or that it is fine. Writes nothing."""
    from fitlab.cli import output
    from fitlab.spec import read_spec
    from fitlab.spec.models import Estimator

    if no_data:
        from fitlab.space import configs
        from fitlab.spec.sweeps import Tpe

        document = read_spec(spec, override or ())
        found, sweep = configs(document), document.spec.sweep
        count = sweep.trials if isinstance(sweep, Tpe) else len(found)
        if any(isinstance(config.sections.model, Estimator) for config in found):
            from fitlab.runner.plan import allowed, refuse  # loads scikit-learn

            refuse(document, found, allowed(allow or ()))
    else:
        from fitlab.runner.plan import allowed, read_plan

        made = read_plan(spec, override or (), packages=allowed(allow or ()))
        document, count = made.document, made.configs
    seeds, method = len(document.spec.seeds.values), document.spec.sweep.method
    if as_json:
        said = {"name": document.spec.name, "method": method, "configs": count, "seeds": seeds, "fits": count * seeds}
        output.out_json(said)
    else:
        most = "at most " if method == "tpe" else ""
        typer.echo(f"{spec}: fine. {document.spec.name} is {most}{output.counted(count, seeds)}.")


@app.command()
def plan(
    spec: SpecFile,
    override: Overrides = None,
    allow: Allow = None,
    jobs: Jobs = None,
    store: StoreFolder = DEFAULT_STORE,
    as_json: Json = False,
) -> None:
    """Say what a sweep would train, what is done already, and how long the rest takes (some epochs are timed)."""
    from fitlab.cli import output, render
    from fitlab.runner.estimate import estimate
    from fitlab.runner.execute import look
    from fitlab.runner.plan import allowed, read_plan
    from fitlab.runner.workers import default_jobs
    from fitlab.store import Store

    made = read_plan(spec, override or (), packages=allowed(allow or ()))
    place = Store(Path(store).absolute())
    with output.only_json(as_json):
        found = look(made, place)
        likely = found.missing if made.search is None else [one.jobs[0] for one in made.probes]
        needed = estimate(likely if found.left else (), jobs or default_jobs(), scale=found.left / max(1, len(likely)))
    if as_json:
        output.out_json(render.plan_json(made, found, needed))
    else:
        render.plan_table(made, found, needed)


@app.command()
def status(
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="One sweep; default: all.")] = None,
    store: StoreFolder = DEFAULT_STORE,
    as_json: Json = False,
) -> None:
    """Say which sweeps are running, stale, done or damaged, how far they are, and what failed and why."""
    from fitlab.cli import output
    from fitlab.cli import status as of_sweeps
    from fitlab.errors import StoreError
    from fitlab.store import Store

    place = Store.at(store)
    rows = of_sweeps.rows(place, name)
    if as_json:
        output.out_json(rows)
    else:
        of_sweeps.show(rows, place)
    if damaged := [row["error"] for row in rows if row["state"] == "damaged"]:
        raise StoreError("\n".join(damaged))


@app.command()
def publish(name: Name, store: StoreFolder = DEFAULT_STORE, as_json: Json = False) -> None:
    """Log a stored sweep to MLflow; what is there already is left as it is."""
    from dataclasses import asdict

    from fitlab.cli import output, render
    from fitlab.runner.publishing import publish as publish_stored
    from fitlab.runner.verdicts import checked
    from fitlab.store import Store

    place = Store.at(store)
    swept = checked(place.load(name))
    published, failure = _publish(lambda: publish_stored(swept, place), name, place, quiet=as_json)
    if failure is not None:
        raise failure
    if as_json:
        output.out_json(asdict(published))
    else:
        render.print_published(published, place)


@app.command()
def diagnose(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME]...", help="A sweep in the store; several are compared as one.")
    ] = None,
    store: StoreFolder = DEFAULT_STORE,
    notes: Annotated[bool, typer.Option("--notes", help="Print the whole note of every Config.")] = False,
    as_json: Json = False,
    mlflow: recorded.Mlflow = None,
    uri: recorded.Uri = None,
    train: recorded.Train = None,
    val: recorded.Val = None,
    seed: recorded.Seed = None,
    config: recorded.Config = None,
    capacity: recorded.Capacity = None,
    loss: recorded.Loss = None,
    constant_train: recorded.ConstantTrain = None,
    constant_val: recorded.ConstantVal = None,
    margin: recorded.Margin = 0.05,
    level: recorded.Level = 0.90,
    by_start: recorded.ByStart = False,
    newest: recorded.Newest = False,
    unfinished: recorded.Unfinished = False,
    csv: recorded.Csv = None,
) -> None:
    """Say what each Config of a sweep does, how sure that is, which one validation chooses, what was found.

    Of a sweep in the store, or, with --mlflow, of somebody's own MLflow experiment.
    """
    from fitlab.cli import diagnosis, output, render
    from fitlab.diagnosis import document
    from fitlab.runner.api import load

    if bool(names) == (mlflow is not None):
        raise SpecError("what is to be diagnosed: NAME of a sweep in the store, or --mlflow EXPERIMENT?")
    keys = tuple(config or ())
    asked = {"train": train, "val": val, "seed": seed, "config": keys, "capacity": capacity, "loss": loss}
    flags = {"by_start": by_start, "newest": newest, "unfinished": unfinished}
    constant = (constant_train, constant_val)
    with output.only_json(as_json):
        if mlflow is not None:
            sweep = _recorded(mlflow, uri, store, {**asked, **flags}, constant, (margin, level), csv)
        elif any([*asked.values(), *flags.values(), uri, csv, constant != (None, None), margin != 0.05, level != 0.90]):
            raise SpecError(
                "options about metrics, params and the like go with --mlflow EXPERIMENT; a spec says its own"
            )
        else:
            sweep = load(names or [], store)
    if as_json:
        output.out_json(document(sweep))
        return
    to = render.console()
    diagnosis.show(sweep, to)
    if notes:
        diagnosis.show_notes(sweep, to)


def _recorded(
    experiment: str,
    uri: str | None,
    store: str,
    asked: dict[str, Any],
    constant: tuple[float | None, float | None],
    rule: tuple[float, float],
    csv: Path | None,
) -> Any:
    """Return the Sweep of somebody's own MLflow experiment, and say on stderr how it was understood."""
    from fitlab.cli import output
    from fitlab.runner import elsewhere
    from fitlab.tracking.elsewhere import Asked

    given = {part: loss for part, loss in zip(("train", "val"), constant, strict=True) if loss is not None}
    if len(given) == 1:
        raise SpecError("the constant predictor loses something on both parts: --constant-train and --constant-val")
    with output.status(f"reading {experiment} …", quiet=False):
        found = elsewhere.read(experiment, Asked(**asked), uri, store)
    sweep = elsewhere.swept(found, given or None, *rule)
    for line in dict.fromkeys([*found.said, *found.assumed, elsewhere.ALIKE]):
        output.err(line)
    if csv is not None:
        try:
            csv.write_text(elsewhere.tidy(found, given), encoding="utf-8")
        except OSError as error:
            raise SpecError(f"{csv}: cannot be written: {error}") from None
        output.err(f"wrote {csv}")
    return sweep


@app.command()
def reproduce(
    specs: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[SPEC]", help="Default: those of experiments/ that expect something."),
    ] = None,
    seeds_from: Annotated[int, typer.Option("--seeds-from", min=0, help="Use seeds N, N + 1, …: another set.")] = 0,
    store: StoreFolder = DEFAULT_STORE,
    as_json: Json = False,
) -> None:
    """Run experiments and check what they expect; exit 1 where anything fails or cannot be evaluated."""
    from dataclasses import asdict

    from fitlab.cli import expectations, output, render
    from fitlab.runner.api import run
    from fitlab.spec import read_spec

    folder = Path("experiments")
    found = specs or [path for path in sorted(folder.rglob("*.yaml")) if read_spec(path).spec.expect]
    if not found:
        raise SpecError(f"{folder}: no spec with an expect section there; name one: `fitlab reproduce SPEC`")
    silent = [str(path) for path in found if not read_spec(path).spec.expect]
    if silent:
        raise SpecError(f"{', '.join(silent)}: nothing is expected there; `expect:` in a spec says what it must show")
    results = {}
    for path in found:
        options = expectations.shifted(read_spec(path).spec, seeds_from)
        with output.only_json(as_json), output.status(f"{path} …", as_json):
            results[str(path)] = run(str(path), store=store, overrides=options, publish=False).claims
        if not as_json:
            expectations.show_named(str(path), results[str(path)], render.console())
    if as_json:
        output.out_json({path: [asdict(one) for one in claims] for path, claims in results.items()})
    else:
        typer.echo(expectations.counts([one for claims in results.values() for one in claims]))
    raise typer.Exit(0 if expectations.all_passed(results.values()) else 1)


@app.command()
def weights(
    name: Name,
    config: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[CONFIG]",
            help="best, the beginning of a digest, or swept values: hidden_layer_sizes=[32] alpha=0.01. Default: all.",
        ),
    ] = None,
    epoch: Annotated[int | None, typer.Option(min=0, help="One of training.snapshots; default: the last.")] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write figures there: png, pdf, csv and json.")
    ] = None,
    store: StoreFolder = DEFAULT_STORE,
    as_json: Json = False,
) -> None:
    """Show the norms, spectra, silent units and biases of networks, and what they say about the fit."""
    from fitlab.cli import output, render
    from fitlab.cli import weights as shown
    from fitlab.runner.verdicts import diagnosed
    from fitlab.store import Store

    with output.only_json(as_json):
        sweep = diagnosed(Store.at(store).load(name))
        configs = shown.picked(sweep, config or [])
        found = shown.measured(sweep, configs, epoch)
        files = []
        if out is not None:
            from fitlab import plots  # takes a second, for matplotlib

            files = shown.drawn(plots.write_weight_figures, sweep, configs, out)
    if as_json:
        output.out_json({**shown.document(sweep, found), "files": [str(path) for path in files]})
        return
    shown.show(sweep, found, epoch, render.console())
    for path in files:
        typer.echo(f"wrote {path}")


@app.command()
def plot(
    name: Name,
    kind: Annotated[
        list[str] | None,
        typer.Option("--kind", help="Such as learning_curves, may be given again; default: all that apply."),
    ] = None,
    venue: Annotated[
        str, typer.Option(help="Sizes and fonts of a conference or journal: neurips2024, icml, nature, ieee …")
    ] = "neurips2024",
    width: Annotated[str, typer.Option(metavar="column|text", help="Of the page of that venue.")] = "column",
    out: Annotated[Path | None, typer.Option(metavar="DIR", help="Default: STORE/figures/NAME.")] = None,
    store: StoreFolder = DEFAULT_STORE,
    as_json: Json = False,
) -> None:
    """Write figures of a stored sweep for a paper, each as pdf, png, csv and json, and print their captions."""
    from fitlab.cli import figures, output, render
    from fitlab.runner.api import load

    with output.only_json(as_json):
        folder = out or Path(store) / "figures" / name
        found = figures.write_figures(load(name, store), kind or (), venue, width, folder)
    if as_json:
        output.out_json(found)
    else:
        figures.show_figures(found, render.console())
    if not any(one["files"] for one in found):
        raise SpecError(f"{name}: none of the figures that were asked for applies")


@app.command()
def report(
    names: Annotated[
        list[str], typer.Argument(metavar="NAME…", help="A sweep in the store; several are reported as one.")
    ],
    out: Annotated[Path | None, typer.Option(metavar="DIR", help="Default: STORE/reports/NAME.")] = None,
    store: StoreFolder = DEFAULT_STORE,
    as_json: Json = False,
) -> None:
    """Write the report of a stored sweep: report.html, which stands alone, report.md with its figures, LaTeX."""
    from fitlab.cli import figures, output, render
    from fitlab.runner.reports import report as write_report

    with output.only_json(as_json), output.status("drawing …", as_json):
        found = write_report(names, out, store=store)
    if as_json:
        output.out_json(figures.report_json(found))
    else:
        figures.show_report(found, render.console())


@app.command()
def ui(
    names: Annotated[list[str] | None, typer.Argument(metavar="[NAME]...", help="Sweeps; default: all.")] = None,
    store: StoreFolder = DEFAULT_STORE,
    port: Annotated[int | None, typer.Option(min=1, max=65535, help="Default: 5000, or the next free one.")] = None,
) -> None:
    """Serve MLflow's UI on 127.0.0.1 and print the links that open the charts; of several NAMEs one more, together."""
    import signal
    import time

    from fitlab.store import Store
    from fitlab.tracking import links
    from fitlab.tracking.server import free_port, serve

    signal.signal(signal.SIGINT, signal.default_int_handler)  # ends the server
    place = Store.at(store)
    published = _published(place, names)
    here = f"sqlite:///{place.database}"
    local = {name: found for name, found in published.items() if found["uri"] == here}
    for uri in dict.fromkeys(found["uri"] for name, found in published.items() if name not in local):
        there = {name: found for name, found in published.items() if found["uri"] == uri}
        if links.is_server(uri):
            typer.echo("\n".join(links.listed(there, uri, together=bool(names))))
        else:
            for name in there:
                typer.echo(f"{name}: in {uri}, not in this store; `mlflow ui --backend-store-uri` shows it")
    if not local:
        return
    with serve(place.database, place.artifacts, port or free_port()) as base:
        signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends the server too
        typer.echo("\n".join(links.listed(local, base, together=bool(names))))
        typer.echo("Ctrl-C ends the server.")
        try:
            while True:
                time.sleep(3600)
        except KeyboardInterrupt:
            typer.echo("")


def _published(place: Any, names: list[str] | None) -> dict[str, Any]:
    """Return what was noted when sweeps were published: the ``names``, or all. Raises SpecError where one was not."""
    found = {name: noted for name in names or place.names() if (noted := place.published(name))}
    missing = [name for name in names or () if name not in found]
    if missing:
        raise SpecError(f"{place.root}: not published: {', '.join(missing)}; `fitlab status` lists the sweeps")
    if not found:
        raise SpecError(f"{place.root}: nothing is published yet; `fitlab sweep SPEC` or `fitlab publish NAME` does it")
    return found


@app.command()
def schema(
    diagnosis: Annotated[bool, typer.Option("--diagnosis", help="Of `fitlab diagnose NAME --json`.")] = False,
) -> None:
    """Print the JSON Schema of specs, for editors, or of diagnoses; experiments/ has both."""
    from fitlab.cli import output

    if diagnosis:
        from fitlab.diagnosis import schema as diagnosis_schema

        output.out_json(diagnosis_schema())
    else:
        from fitlab.spec import schema as spec_schema

        output.out_json(spec_schema())


@app.command()
def doctor(
    store: StoreFolder = DEFAULT_STORE,
    quick: Annotated[bool, typer.Option("--quick", help="Leave out checksums and a tracking server.")] = False,
    fix: Annotated[bool, typer.Option("--fix", help="Mend what can be mended; damaged files are moved aside.")] = False,
    as_json: Json = False,
) -> None:
    """Say which versions are here, what is missing, damaged, lost or left behind in the store; exit 1 if anything is.

    Remarks (what is not published, which Fits no sweep uses, what differs between here and where Fits were made) leave
    exit 0. Exit 3: the store or this installation cannot be used.
    """
    from fitlab.cli import doctor as examine
    from fitlab.cli import output
    from fitlab.cli.progress import counting

    with output.only_json(as_json), counting("reading Fits") as on_progress:
        found = examine.findings(Path(store), quick, on_progress, _more(quick, fix))
    if as_json:
        output.out_json(found)
    else:
        examine.show(found)
    raise typer.Exit(examine.exit_code(found))


def _more(quick: bool, fix: bool) -> list[Any]:
    """Return what doctor does besides looking at the store: it takes MLflow, which takes a second to come up."""
    import os

    from fitlab.cli.doctor import unreachable
    from fitlab.errors import PublishError

    steps: list[Any] = []
    if not quick and os.environ.get("MLFLOW_TRACKING_URI"):
        from fitlab.upkeep.mend import on_server

        def ask(place: Any, found: list[Any]) -> list[Any]:
            try:
                return [*found, *on_server(place)]
            except PublishError as error:
                return [*found, unreachable(error)]

        steps.append(ask)
    if fix:
        from fitlab.upkeep.mend import mend

        steps.append(mend)
    return steps


@app.command()
def rerun(
    digest: Annotated[str, typer.Argument(metavar="DIGEST", help="The beginning of the digest of a job.")],
    verify: Annotated[
        bool, typer.Option("--verify", help="Compare with what is stored; exit 1 if it differs.")
    ] = False,
    tolerance: Annotated[
        float | None,
        typer.Option(min=0, help="Of the largest value of an array, on another platform; default: 1e-6."),
    ] = None,
    allow: Allow = None,
    store: StoreFolder = DEFAULT_STORE,
    as_json: Json = False,
) -> None:
    """Train the Fit of a job again and show what came out then and now; the store is left as it is.

    With --verify: exit 0 if it is equal, bit for bit on the same platform (versions, CPU, BLAS), else within the
    tolerance; exit 1 if not.
    """
    from fitlab.cli import again, output
    from fitlab.runner.plan import allowed
    from fitlab.store import Store
    from fitlab.upkeep import rerun as retrain

    place = Store.at(store)
    wanted = retrain.find(place, digest)
    with output.only_json(as_json), output.status(f"training {wanted[:12]} again …", as_json):
        packages, limit = allowed(allow or ()), retrain.TOLERANCE if tolerance is None else tolerance
        found = retrain.rerun(place, wanted, packages=packages, tolerance=limit)
    if as_json:
        output.out_json(again.document(found, verify))
    else:
        again.show(found, verify)
    raise typer.Exit(1 if verify and not found.equal else 0)


@app.command("gc")
def collect(
    yes: Annotated[bool, typer.Option("--yes", "--delete", help="Remove them; without it they are listed.")] = False,
    store: StoreFolder = DEFAULT_STORE,
    as_json: Json = False,
) -> None:
    """List the Fits that no sweep of the store uses and what they take, or remove them; never while a sweep runs.

    A Fit that a sweep might still come to that is not finished is kept. Runs in MLflow keep their own copies.
    """
    from fitlab.cli import garbage, output
    from fitlab.store import Store
    from fitlab.upkeep.unused import remove, unused

    place = Store.at(store)
    found = unused(place)
    removed = remove(place) if yes else []
    if as_json:
        output.out_json(garbage.document(place, found, removed, yes))
    else:
        garbage.show(place, found, removed, yes)


@app.command()
def init(
    path: Annotated[Path, typer.Argument(help="Where to write it; never over a file that is there.")] = Path(
        "experiment.yaml"
    ),
) -> None:
    """Write a commented spec to start from."""
    template = Path(__file__).with_name("template.yaml").read_text(encoding="utf-8")
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(template)
    except FileExistsError:
        raise SpecError(f"{path} is there already; give another name: `fitlab init NAME.yaml`") from None
    except OSError as error:
        raise SpecError(f"{path}: cannot be written: {error}") from None
    typer.echo(f"wrote {path}. Next: fitlab check {path}, fitlab plan {path}, fitlab sweep {path}")
