"""Commands that show what came out: verdicts, weights, figures, reports, MLflow's pages."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from fitlab.cli import recorded
from fitlab.cli.commands.options import DEFAULT_STORE, Json, Name, StoreFolder, app
from fitlab.errors import SpecError


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
    from fitlab.cli import diagnosis, output
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
    to = output.console()
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
        with output.written_to(csv, csv):
            csv.write_text(elsewhere.tidy(found, given), encoding="utf-8")
        output.err(f"wrote {csv}")
    return sweep


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
    from fitlab.cli import output
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

            with output.written_to(out, out):
                files = shown.drawn(plots.write_weight_figures, sweep, configs, out)
    if as_json:
        output.out_json({**shown.document(sweep, found), "files": [str(path) for path in files]})
        return
    shown.show(sweep, found, epoch, output.console())
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
    from fitlab.cli import figures, output
    from fitlab.runner.api import load

    folder = out or Path(store) / "figures" / name
    with output.only_json(as_json), output.written_to(folder, out):
        found = figures.write_figures(load(name, store), kind or (), venue, width, folder)
    if as_json:
        output.out_json(found)
    else:
        figures.show_figures(found, output.console())
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
    from fitlab.cli import figures, output
    from fitlab.runner.reports import report as write_report

    folder = out or Path(store) / "reports"
    with output.only_json(as_json), output.status("drawing …", as_json), output.written_to(folder, out):
        found = write_report(names, out, store=store)
    if as_json:
        output.out_json(figures.report_json(found))
    else:
        figures.show_report(found, output.console())


@app.command()
def ui(
    names: Annotated[list[str] | None, typer.Argument(metavar="[NAME]...", help="Sweeps; default: all.")] = None,
    store: StoreFolder = DEFAULT_STORE,
    port: Annotated[int | None, typer.Option(min=1, max=65535, help="Default: 5000, or the next free one.")] = None,
    host: Annotated[str, typer.Option(help="Where to listen; another than 127.0.0.1 lets others in.")] = "127.0.0.1",
) -> None:
    """Serve MLflow's UI on 127.0.0.1 and print the links that open the charts; of several NAMEs one more, together."""
    import signal
    import time

    from fitlab.cli import output
    from fitlab.store import Store
    from fitlab.tracking import links
    from fitlab.tracking.server import exposure, free_port, serve

    warning = exposure(host)
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
    if warning is not None:
        output.err(warning)
    with serve(place.database, place.artifacts, port or free_port(host), host) as base:
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
