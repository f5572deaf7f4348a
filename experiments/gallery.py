"""The gallery: every plot of fitlab.plots with three lines of code, which are run to draw it.

``python -m experiments.gallery [--store mlruns] [--out docs/gallery] [NAME …]``, or ``make gallery``. A plot is one
more entry of GALLERY; README.md and the pictures are written from the entries. Experiments that are not in the store
yet are run first.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import matplotlib as mpl
from matplotlib import pyplot
from PIL import Image

import fitlab
from fitlab import plots
from fitlab.spec import read_spec

ROOT = Path(__file__).parents[1]
COLOURS = 128  # of a picture's palette, which keeps it small
LARGEST = 60_000  # bytes of a picture


@dataclass(frozen=True)
class Entry:
    """A plot, what it is for, and the code that draws it into fig/NAME.png and its companions."""

    name: str  # of the plot, and of the picture
    says: str
    code: str

    @property
    def sweep(self) -> str:
        """The experiment that it is of."""
        return self.code.split('load("')[1].split('"')[0]


def entry(name: str, says: str, sweep: str, draws: str, venue: str = "icml2024", width: str = "column") -> Entry:
    """Return an entry. draws: what is saved, of ``sweep``."""
    within = f'with plots.paper("{venue}", "{width}"):'
    return Entry(name, says, f'sweep = fitlab.load("{sweep}")\n{within}\n    plots.save({draws}, "fig/{name}")')


GALLERY = (
    entry(
        "learning_curves",
        "Does it learn, and when does it stop to? Every seed faintly, the mean, its band, and what it is held against.",
        "digits-width",
        "plots.learning_curves(sweep)",
    ),
    entry(
        "landscape",
        "Where in the space is it good? Final loss over up to three swept keys, with the verdict of each Config.",
        "digits-width",
        "plots.landscape(sweep)",
        width="text",
    ),
    entry("verdict_map", "The verdicts alone.", "digits-width", 'plots.verdict_map(sweep, y="alpha")'),
    entry(
        "gap_vs_excess",
        "A gap is not overfitting: what counts is the excess over the best, in margins.",
        "digits-width",
        "plots.gap_vs_excess(sweep)",
    ),
    entry(
        "capacity_curve",
        "Loss against size: the interpolation threshold and the second descent.",
        "oracle-double-descent",
        "plots.capacity_curve(sweep)",
    ),
    entry(
        "validation_curve",
        "Loss along one swept key, all else held.",
        "oracle-ridge",
        'plots.validation_curve(sweep, "alpha")',
    ),
    entry(
        "sample_size_curve",
        "What would more data give? Power laws with intervals, beside the last value, which they have to better.",
        "oracle-sample-size",
        "plots.sample_size_curve(sweep)",
    ),
    entry(
        "bias_variance",
        "What the test error consists of, where the truth is known.",
        "oracle-ridge",
        "plots.bias_variance(fitlab.bias_variance(sweep), sweep=sweep)",
    ),
    entry(
        "parallel_coordinates",
        "All swept values of a search and what they came to.",
        "digits-search",
        "plots.parallel_coordinates(sweep)",
    ),
    entry(
        "parameter_importance",
        "Which swept parameter matters (Optuna's PED-ANOVA).",
        "digits-width",
        "plots.parameter_importance(fitlab.importance(sweep))",
    ),
    entry(
        "calibration",
        "Are its probabilities what they say?",
        "digits-width",
        "plots.calibration(fitlab.calibration(sweep))",
    ),
    entry(
        "norms_vs_gap",
        "Along label noise norms go with the gap; along capacity they do not, so no verdict uses them.",
        "label-noise",
        "plots.norms_vs_gap(sweep)",
    ),
    entry(
        "spectrum",
        "Singular values of weights, against those of chance.",
        "digits-width",
        "plots.spectrum(sweep)",
    ),
    entry(
        "bias_shift",
        "How much biases shift what a layer adds up.",
        "biases",
        "plots.bias_shift(sweep)",
    ),
    entry(
        "weight_histograms",
        "How weights spread while training.",
        "digits-width",
        "plots.weight_histograms(sweep)",
    ),
    entry(
        "weight_heatmap",
        "The weights themselves: inputs down, units across.",
        "digits-width",
        "plots.weight_heatmap(sweep, config=sweep.configs[-1])",
    ),
)


def specs() -> dict[str, Path]:
    """Return the shipped specs by the names of their sweeps."""
    return {read_spec(path).spec.name: path for path in sorted((ROOT / "experiments").rglob("*.yaml"))}


def ready(names: Iterable[str], store: Path) -> None:
    """Run the experiments that are not in the store yet."""
    shipped = specs()
    for name in dict.fromkeys(names):
        if not (store / "sweeps" / f"{name}.json").exists():
            fitlab.run(shipped[name], store=store, publish=False)


def picture(entry: Entry, out: Path) -> str:
    """Run the code of an entry where ``mlruns`` is the store, keep its png with few colours, return its caption."""
    exec(entry.code, {"fitlab": fitlab, "plots": plots})  # noqa: S102 (our own text above)
    pyplot.close("all")
    with Image.open(f"fig/{entry.name}.png") as image:
        few = image.convert("RGB").quantize(COLOURS, Image.Quantize.MAXCOVERAGE, kmeans=2, dither=Image.Dither.NONE)
        few.save(out / f"{entry.name}.png", optimize=True)
    said: str = json.loads(Path(f"fig/{entry.name}.json").read_text(encoding="utf-8"))["caption"]
    return said


def readme(captions: Sequence[tuple[Entry, str]]) -> str:
    """Return the page of the gallery."""
    lines = [
        "# Gallery",
        "",
        "Every plot of `fitlab.plots` from experiments that are shipped here, drawn by the three lines below it, after",
        "`import fitlab` and `from fitlab import plots`. `make gallery` runs them again. `plots.save` writes pdf and",
        "png, what is drawn as csv, and as json where that is from and the caption, which stands below each picture.",
        "",
    ]
    for one, said in captions:
        lines += [
            f"## {one.name}",
            "",
            one.says,
            "",
            f"![{one.name}]({one.name}.png)",
            "",
            "```python",
            one.code,
            "```",
        ]
        lines += ["", f"> {said}".replace("<", "&lt;").replace("*", r"\*"), ""]
    return "\n".join(lines)


def main() -> None:
    """Draw the gallery, or some entries of it."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("names", nargs="*", help="entries; default: all, and README.md")
    parser.add_argument("--store", type=Path, default=ROOT / "mlruns")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "gallery")
    given = parser.parse_args()
    mpl.use("agg")
    entries = [one for one in GALLERY if one.name in given.names or not given.names]
    store, out = given.store.absolute(), given.out.absolute()
    out.mkdir(parents=True, exist_ok=True)
    ready([one.sweep for one in entries], store)
    captions = []
    with tempfile.TemporaryDirectory() as here:
        os.symlink(store, Path(here) / "mlruns")
        with contextlib.chdir(here):
            for one in entries:
                captions.append((one, picture(one, out)))
                size = (out / f"{one.name}.png").stat().st_size
                print(f"{one.name}.png {size // 1000} kB{' TOO LARGE' if size > LARGEST else ''}")
    if not given.names:
        (out / "README.md").write_text(readme(captions), encoding="utf-8")


if __name__ == "__main__":
    main()
