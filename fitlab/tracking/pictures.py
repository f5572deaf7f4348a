"""The files of a Config's run: pictures of weights and biases for the image grid, and the page to look around in.

They lie where ``MlflowClient.log_image(key=, step=)`` puts them, under names that follow from what they show: logged
again, they replace themselves.
"""

from __future__ import annotations

import uuid
from pathlib import Path

from fitlab.pages import weights_page
from fitlab.parameters.maps import maps_of
from fitlab.pictures import histogram_picture, map_picture
from fitlab.pictures.drawing import encoded, limited
from fitlab.records import Config
from fitlab.seeds import digest
from fitlab.sweep import Sweep

LOGGED_IMAGES = "mlflow.loggedImages"  # the tag of runs that have some
PAGE = "weights.html"
KEYS = ("weights", "histograms")  # under which MLflow finds pictures


def has_pictures(sweep: Sweep, config: Config) -> bool:
    """Whether a Config has weights to show."""
    return any(fit.weights for fit in sweep.completed(config))


def write_files(sweep: Sweep, config: Config, name: str, identity: str, ended_ms: int, folder: Path) -> None:
    """Write all files of a Config's run below ``folder``. name: what the Config is called."""
    fit = next(fit for fit in sweep.completed(config) if fit.weights)
    (folder / "images").mkdir()
    drawn = maps_of(fit)
    for epoch in drawn.epochs:
        title = f"{name}, seed {fit.job.seed}, epoch {epoch}"
        first = drawn.histograms[drawn.epochs[0]]
        pictures = (map_picture(drawn.maps[epoch], title), histogram_picture(drawn.histograms[epoch], first, title))
        for key, picture in zip(KEYS, pictures, strict=True):
            small = limited(picture)
            own = uuid.UUID(digest([identity, key, epoch])[:32])
            for end, kind in ((".png", "png"), ("+compressed.webp", "webp")):
                path = folder / "images" / f"{key}+step+{epoch}+timestamp+{ended_ms}+{own}{end}"
                path.write_bytes(encoded(small, kind))
    (folder / PAGE).write_text(weights_page(sweep, config), encoding="utf-8")
