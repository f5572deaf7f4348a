"""Options of `fitlab diagnose` about an experiment that was trained elsewhere. Imports little: for help texts."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

PANEL = "Somebody's own MLflow experiment"


def _option(name: str, help_: str, metavar: str | None = None) -> typer.models.OptionInfo:
    found: typer.models.OptionInfo = typer.Option(name, metavar=metavar, help=help_, rich_help_panel=PANEL)
    return found


Mlflow = Annotated[str | None, _option("--mlflow", "Its name or id, instead of NAME; it is read only.", "EXPERIMENT")]
Uri = Annotated[str | None, _option("--uri", "Where; default: MLFLOW_TRACKING_URI, else the store's database.")]
Train = Annotated[str | None, _option("--train", "The training loss; looked for where not given.", "METRIC")]
Val = Annotated[str | None, _option("--val", "The validation loss; looked for where not given.", "METRIC")]
Seed = Annotated[str | None, _option("--seed", "Param or tag that holds the seed; looked for.", "PARAM")]
Config = Annotated[
    list[str] | None, _option("--config", "Makes a Config; may be repeated. Default: all that vary.", "PARAM")
]
Capacity = Annotated[str | None, _option("--capacity", "Orders Configs from small to large.", "PARAM")]
Loss = Annotated[str | None, _option("--loss", "log_loss, squared_error or another name; default: by the metric.")]
ConstantTrain = Annotated[
    float | None, _option("--constant-train", "What the constant predictor loses on training rows.", "LOSS")
]
ConstantVal = Annotated[
    float | None, _option("--constant-val", "What it loses on validation rows: log K for K balanced classes.", "LOSS")
]
Margin = Annotated[float, _option("--margin", "What matters, as a share of that loss.")]
Level = Annotated[float, _option("--level", "Confidence level of intervals.")]
ByStart = Annotated[bool, _option("--by-start", "Number runs of the same params by their start: no seed.")]
Newest = Annotated[bool, _option("--newest", "Of several runs of a Config and seed the last, however they differ.")]
Unfinished = Annotated[bool, _option("--unfinished", "Take runs that never ended as they are.")]
Csv = Annotated[Path | None, _option("--csv", "Write the tidy frame: fitlab.Sweep.from_frame takes it.", "FILE")]
