"""Commands that check, run and log specs."""

from __future__ import annotations

import gc
from collections.abc import Callable, Sequence
from pathlib import Path
from shlex import quote
from typing import Annotated, Any

import typer

from fitlab.cli.commands.options import DEFAULT_STORE, Allow, Jobs, Json, Name, Overrides, SpecFile, StoreFolder, app
from fitlab.errors import FitlabError, SpecError, StoppedError


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
    gc.disable()  # it would look a hundred times for what can go of what is imported, and nothing can
    from contextlib import nullcontext

    from fitlab.runner.ahead import ahead

    with nullcontext() if no_publish else ahead(spec, override or (), store) as process:
        _sweep(spec, override or (), allow or (), jobs, store, retry_failed, no_publish, as_json, process)


def _sweep(
    spec: str,
    override: Sequence[str],
    allow: Sequence[str],
    jobs: int | None,
    store: str,
    retry_failed: bool,
    no_publish: bool,
    as_json: bool,
    process: Any,
) -> None:
    """Run a sweep. process: one to log it, if there is one already."""
    from dataclasses import replace

    from fitlab.cli import output, render
    from fitlab.runner.alongside import Alongside
    from fitlab.runner.execute import Interrupted
    from fitlab.runner.plan import allowed, read_plan
    from fitlab.runner.processors import default_jobs
    from fitlab.runner.verdicts import checked
    from fitlab.runner.workers import workers_for
    from fitlab.store import Store

    gc.freeze()
    gc.enable()
    made = read_plan(spec, override, packages=allowed(allow))
    place = Store.at(store, create=True)
    workers = workers_for(jobs or default_jobs(), None, made.without_lock, made.time_limit)
    document_spec = made.document.spec
    with place.locked(document_spec.name), Alongside(place, document_spec, process=process) as alongside:

        def finish(of: Any) -> Any:
            return alongside.finish(of) or _log(place, of)

        try:
            result = _execute(made, place, workers, retry_failed, as_json, None if no_publish else alongside.settled)
        except (Interrupted, StoppedError) as stop:
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


def _cut_short(stop: Any, made: Any, place: Any, finish: Any) -> None:
    """Say how far a sweep came that was interrupted or stopped, and log what is there."""
    from fitlab.cli import output
    from fitlab.runner.cut_short import log_the_rest
    from fitlab.runner.execute import Interrupted

    if isinstance(stop, Interrupted):
        of = f"{'at most ' if made.search else ''}{made.fits}"
        output.err(f"fitlab: interrupted; {stop.done} of {of} Fits are kept: run the same command to continue")
    if finish is not None:
        log_the_rest(stop, made.document.spec.name, place, finish, say=output.err)
    for note in getattr(stop, "__notes__", ()):
        output.err(f"fitlab: {note}")


def _log(place: Any, sweep: Any) -> Any:
    """Publish a sweep whose lock is held. Importing MLflow takes a second, which is spent when this is called."""
    from fitlab.runner.publishing import Log

    gc.set_threshold(20_000, 20, 100)  # MLflow makes many objects that die by themselves, and this process is ours
    return Log(place, sweep.spec.name).finish(sweep)


def _publish(
    finish: Callable[[], Any], name: str, place: Any, quiet: bool, done: str = "trained and stored, but "
) -> tuple[Any, FitlabError | None]:
    """Publish; return what was published, or the error that says how to catch up. done: what is, all the same."""
    from fitlab.cli import output
    from fitlab.errors import PublishError

    catch_up = f"`fitlab publish {name} --store {quote(str(place.root))}` catches up"
    try:
        with output.status("logging to MLflow …", quiet):
            return finish(), None
    except PublishError as error:
        return None, PublishError(f"{done}not published: {error}\n{catch_up}")
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
    from fitlab.runner.processors import default_jobs
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
def publish(name: Name, store: StoreFolder = DEFAULT_STORE, as_json: Json = False) -> None:
    """Log a stored sweep to MLflow; what is there already is left as it is."""
    from dataclasses import asdict

    from fitlab.cli import output, render
    from fitlab.runner.publishing import publish as publish_stored
    from fitlab.runner.verdicts import checked
    from fitlab.store import Store

    place = Store.at(store)
    swept = checked(place.load(name))
    published, failure = _publish(lambda: publish_stored(swept, place), name, place, as_json, done="")
    if failure is not None:
        raise failure
    if as_json:
        output.out_json(asdict(published))
    else:
        render.print_published(published, place)


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

    from fitlab.cli import expectations, output
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
            expectations.show_named(str(path), results[str(path)], output.console())
    if as_json:
        output.out_json({path: [asdict(one) for one in claims] for path, claims in results.items()})
    else:
        typer.echo(expectations.counts([one for claims in results.values() for one in claims]))
    raise typer.Exit(0 if expectations.all_passed(results.values()) else 1)


@app.command()
def init(
    path: Annotated[Path, typer.Argument(help="Where to write it; never over a file that is there.")] = Path(
        "experiment.yaml"
    ),
) -> None:
    """Write a commented spec to start from."""
    template = Path(__file__).parents[1].joinpath("template.yaml").read_text(encoding="utf-8")
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(template)
    except FileExistsError:
        raise SpecError(f"{path} is there already; give another name: `fitlab init NAME.yaml`") from None
    except OSError as error:
        raise SpecError(f"{path}: cannot be written: {error}") from None
    typer.echo(f"wrote {path}. Next: fitlab check {path}, fitlab plan {path}, fitlab sweep {path}")


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
