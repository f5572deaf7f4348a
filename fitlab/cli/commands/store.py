"""Commands that look after a store."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from fitlab.cli.commands.options import DEFAULT_STORE, Allow, Json, StoreFolder, app


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
