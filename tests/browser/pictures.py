"""The pictures of MLflow's pages in docs/: the default sweep, as `make sweep` leaves it. Run by `make screenshots`."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from browser.desk import Desk, browser, chromium, serving
from PIL import Image

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
SPEC = ROOT / "experiments" / "digits_width.yaml"
COLOURS = 256  # of the palette: a picture stays below 300 kB


def main() -> None:
    """Run the sweep in a store of its own, open its pages, and keep what they look like."""
    if chromium() is None:
        sys.exit("make screenshots: no browser; on Debian: apt-get install chromium")
    with tempfile.TemporaryDirectory() as store:
        subprocess.run([sys.executable, "-m", "fitlab", "sweep", str(SPEC), "--store", store], check=True)
        with serving(Path(store)) as links, browser() as started:
            (link,) = links.values()
            desk = Desk(started, height=1110)
            desk.open(link)
            desk.tidy()
            desk.charts(4)
            small(desk.picture(DOCS / "charts.png"))
            desk.open_run(desk.rows()[0])
            desk.as_training()
            desk.tidy()
            desk.unfold_note()
            small(desk.picture(DOCS / "run.png"))


def small(path: Path) -> None:
    """Write a picture anew with a palette."""
    with Image.open(path) as picture:
        fitting = picture.convert("RGB").quantize(COLOURS, Image.Quantize.MAXCOVERAGE, kmeans=3)
        fitting.save(path, optimize=True)
    print(path, path.stat().st_size // 1000, "kB")


if __name__ == "__main__":
    main()
