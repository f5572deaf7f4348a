"""The program, and the options that several commands have."""

from __future__ import annotations

from typing import Annotated

import typer

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
