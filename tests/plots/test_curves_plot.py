"""Learning curves of a Sweep and of anybody's DataFrame: the same numbers, and what is missing is said."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
import pytest
from diagnosis.frames import NULL, SHAPES, frame
from matplotlib import pyplot
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fitlab import plots
from fitlab.errors import SpecError
from fitlab.plots.curves import curves_of
from fitlab.sweep import Sweep

ROWS = frame(SHAPES)


@pytest.fixture
def ax() -> Iterator[Axes]:
    yield Figure().subplots()
    assert pyplot.get_fignums() == [], "a figure was made beside the axes that were given"


@pytest.mark.parametrize("name", SHAPES)
def test_a_frame_gives_the_numbers_of_its_sweep(name: str) -> None:
    sweep = Sweep.from_frame(ROWS[(ROWS["seed"] != 2) | (ROWS["epoch"] < 30)], constant=NULL)
    tidy = sweep.curves(constant=True).sample(frac=1, random_state=0)
    config = next(one for one in sweep.configs if one.swept["model.name"] == name)
    ours, theirs = curves_of(sweep, config=config), curves_of(tidy, config=config)
    pd.testing.assert_frame_equal(ours.table(), theirs.table())
    assert (ours.null, ours.chosen, ours.seeds) == (theirs.null, theirs.chosen, theirs.seeds)


def test_curves_need_not_be_such_that_they_can_be_diagnosed(ax: Axes) -> None:
    some = ROWS[(ROWS["config"] == "large") & (ROWS["split"] == "val")].assign(metric="accuracy")
    plots.learning_curves(some, metric="accuracy", ax=ax)
    (found,) = plots.drawn(ax)
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["validation"]
    means = found.table().query("seed == 'mean'")["value"]
    np.testing.assert_allclose(means, some.groupby("epoch")["value"].mean())


def test_what_is_no_number_is_left_out_and_said() -> None:
    wild = (ROWS["seed"] == 1) & (ROWS["epoch"] > 20)
    found = curves_of(ROWS.assign(value=ROWS["value"].mask(wild)), config="small")
    assert found.seeds == (0, 2, 3, 4)
    assert found.caption.endswith(" 1 diverged left out.")
    pruned = ROWS.assign(outcome=np.where(ROWS["seed"] == 3, "pruned", "completed"))
    assert curves_of(pruned, config="small").left_out == {"pruned": 1}


@pytest.mark.parametrize(
    ("rows", "config", "said"),
    [
        (ROWS, None, "which of 3 Configs? Give config=; there is small, right, large"),
        (ROWS, "smal", "no Configs are called 'smal'; there is small"),
        (ROWS[:0], None, "no rows"),
        (ROWS[ROWS["split"] == "train"], "small", "no loss was measured on validation data"),
        (ROWS.assign(metric="accuracy"), "small", "no loss was measured on validation data; there is accuracy"),
        (ROWS.assign(value=np.nan), "small", "no completed Fit; there is diverged"),
        (ROWS.drop(columns="seed"), "small", "the frame lacks seed"),
        (pd.concat([ROWS, ROWS]), "small", "rows are there twice"),
        ({"config": ["small"]}, "small", "a pandas DataFrame is wanted, got dict"),
    ],
)
def test_what_cannot_be_drawn_is_said_with_what_there_is(rows: pd.DataFrame, config: str | None, said: str) -> None:
    with pytest.raises((ValueError, SpecError)) as error:
        plots.learning_curves(rows, config=config)
    assert said in str(error.value)
    assert pyplot.get_fignums() == []
