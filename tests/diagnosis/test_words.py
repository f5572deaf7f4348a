"""The words of verdicts: examples that read well, and what every note has in it."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pandas as pd
from diagnosis.frames import GOOD, SHAPES, SIZES, falling, named, recorded
from hypothesis import given
from hypothesis import strategies as st

from fitlab import space
from fitlab.diagnosis import reason
from fitlab.diagnosis.naming import brief_name, counted, interval, listed, number, shown
from fitlab.diagnosis.steps import STEPS, moves
from fitlab.diagnosis.words import LEANINGS, MEANINGS, Context, note, over_confident
from fitlab.records import Interval
from fitlab.spec import read_spec
from fitlab.sweep import Sweep
from fitlab.verdicts import Check, Label, Severity, State, Verdict


def t(estimate: float, low: float, high: float) -> Interval:
    return Interval(estimate, low, high, 0.9, 5, "t")


CONFIDENCE = Check("FIT007", "over-confident", State.FOUND, Severity.WARNING, "accuracy 0.735", "Calibrate it.")
OVERFIT = Verdict(
    Label.OVERFIT,
    reasons={
        "val": t(1.5, 1.4, 1.6),
        "train": t(0.1, 0.09, 0.11),
        "excess": t(0.5, 0.4, 0.6),
        "above_best": t(0.5, 0.4, 0.6),
        "distance": t(-0.7, -0.75, -0.65),
    },
    because="its training loss is below the floor that the best one sets: noise was learned",
    n=5,
    reference="b" * 64,
    deciding="distance",
    checks=(CONFIDENCE,),
)
CONTEXT = Context(
    config="hidden_layer_sizes [128]",
    reference="hidden_layer_sizes [32]",
    rival="hidden_layer_sizes [32]",
    delta=0.115,
    margin=0.05,
    level=0.9,
    null=t(2.3, 2.29, 2.31),
    loss="log_loss",
    among=4,
    deciding="distance",
    accuracy=t(0.735, 0.72, 0.75),
    best_accuracy=0.741,
    apart=0.52,
    best_differs="hidden_layer_sizes [32]",
)


def test_a_note_from_head_to_foot() -> None:
    assert note(OVERFIT, CONTEXT) == (
        "**overfit** – hidden_layer_sizes [128]\n\n"
        "It has learned noise: it fits its training data better than new data can be predicted, and pays for it, for "
        "another Config does better on new data.\n\n"
        "It is **over-confident**: it is right about as often as the best (accuracy 0.735, there 0.741), so what it "
        "loses is not more errors but too high probabilities for them. If only the most probable class counts, this "
        "may not matter; if probabilities are used, it does.\n\n"
        "**The numbers**\n\n"
        "- Validation loss 1.50 [1.40, 1.60], training loss 0.100 [0.090, 0.110]; the constant predictor's 2.300 "
        "[2.290, 2.310].\n"
        "- It loses 0.50 [0.40, 0.60] more on validation than the best (hidden_layer_sizes [32]); 0.115 would matter, "
        "5 % of the constant predictor's loss.\n"
        "- Its training loss is 0.700 [0.650, 0.750] below the floor that the best Config sets (half way between its "
        "training and its validation loss). So it has learned noise.\n"
        "- Accuracy 0.735 [0.720, 0.750], that of the best 0.741; it does not decide.\n\n"
        "**Checks**\n\n"
        "- FIT007 over-confident: accuracy 0.735. Calibrate it.\n\n"
        "**What to try next**\n\n"
        "- What the best has instead: hidden_layer_sizes [32].\n"
        "- More regularisation, such as a larger alpha.\n"
        "- A smaller model.\n"
        "- More training rows.\n"
        "- Fewer epochs, where there are epochs: fix how they are chosen before you look.\n\n"
        "*Decided because: its training loss is below the floor that the best one sets: noise was learned. Log loss; "
        "90 % intervals (t) over n = 5 seeds, paired within seeds; compared with 3 other Configs that completed and "
        "the constant predictor.*"
    )


def test_a_reason_is_one_line_with_its_numbers() -> None:
    assert reason(OVERFIT) == (
        "loses 0.50 [0.40, 0.60] more than the best, and its training loss is 0.700 [0.650, 0.750] below what new "
        "data allow; over-confident"
    )
    open_one = Verdict(Label.INCONCLUSIVE, Label.GOOD, {"above_best": t(0.1, 0.05, 0.15)}, "…", 5, seeds_needed=12)
    assert reason(open_one) == (
        "loses 0.100 [0.050, 0.150] more than the best: more than the margin or less, that is open; "
        "12 seeds would decide it"
    )
    alone = replace(open_one, reasons={"rival": t(0.0, -0.1, 0.1234)}, seeds_needed=None)
    assert reason(alone) == "may lose up to 0.123 more than the best other: whether that is so is open"
    for name, verdict in named(recorded(SHAPES, capacity=SIZES)).items():
        assert "\n" not in reason(verdict), name
        assert "[" in reason(verdict) or verdict.label is Label.GOOD


RARELY_BAD = {
    "a": [0.30, 0.30, 0.80],
    "b": [0.30, 0.81, 0.305],
    "steady": [0.31, 0.32, 0.31],
    "bad": [0.50, 0.51, 0.50],
}


def test_what_loses_more_than_the_margin_is_not_called_tied_nor_good() -> None:
    """Under some seeds what the other seeds find best fails: against that nothing loses."""
    frame = pd.DataFrame(
        [
            {"config": name, "seed": seed, "epoch": 1, "split": split, "metric": "loss", "value": value}
            for name, values in RARELY_BAD.items()
            for seed, value in enumerate(np.array(values) + 1)
            for split in ("train", "val")
        ]
    )
    sweep = Sweep.from_frame(frame, constant={"train": 1.67, "val": 1.67})
    bad = named(sweep)["bad"]
    assert (bad.label, bad.leaning) != (Label.INCONCLUSIVE, Label.GOOD)
    assert bad.reasons["excess"].estimate < 0 < bad.reasons["above_best"].estimate
    assert f"It loses {interval(bad.reasons['above_best'])} more on validation than the best (steady)" in bad.note
    assert "treat it as tied" not in bad.note
    assert "it is not tied with the best" in bad.note
    assert reason(bad).startswith(f"loses {interval(bad.reasons['above_best'])} more than the best")
    seen = {check.code: check for check in bad.checks}["FIT008"]
    assert "what the other seeds find best varies, from 1.31 to 1.81" in seen.said
    assert seen.advice.startswith("It is not this Config that is unsteady")


def test_what_decides_is_said_where_it_is_another_number() -> None:
    assert "on the margin's scale" not in note(OVERFIT, CONTEXT)
    assert "(the means: 0.90); 0.115 would" in note(OVERFIT, replace(CONTEXT, apart=0.9)).replace("0.900", "0.90")
    other = replace(OVERFIT, reasons={**OVERFIT.reasons, "above_best": t(0.7, 0.5, 0.9)})
    assert "It loses 0.70 [0.50, 0.90] more on validation than the best" in note(other, CONTEXT)
    assert "it loses 0.50 [0.40, 0.60] more than what the other seeds find best" in note(other, CONTEXT)


def test_over_confident_is_said_where_the_check_found_it() -> None:
    assert "over-confident" in over_confident(OVERFIT, CONTEXT)
    assert reason(OVERFIT).endswith("; over-confident")
    clear = replace(OVERFIT, checks=(replace(CONFIDENCE, state=State.CLEAR),))
    assert over_confident(clear, CONTEXT) == over_confident(OVERFIT, replace(CONTEXT, accuracy=None)) == ""
    assert "over-confident" not in note(clear, CONTEXT) + reason(clear)
    assert "right about as often" in over_confident(OVERFIT, CONTEXT)
    assert "right at least as often" in over_confident(OVERFIT, replace(CONTEXT, best_accuracy=0.559))


def test_the_best_is_told_first_and_what_it_contradicts_is_not_advised(tiny: dict) -> None:
    """Underfit with too small an alpha by the best one's; its size is what helps."""
    keys = {"model.hidden_layer_sizes": {"values": [[2], [32]]}, "training.alpha": {"values": [1e-3, 1]}}
    read = read_spec({**tiny, "sweep": {"parameters": keys}})
    small, large = space.configs(read)[0], space.configs(read)[-1]
    sweep = Sweep(read.spec, (small, large), ())
    assert moves(sweep, small, large) == {"+size", "+penalty"}
    assert moves(sweep, large, small) == {"-size", "-penalty"}
    context = replace(CONTEXT, best_differs="hidden_layer_sizes [32], alpha 1", best_moves=moves(sweep, small, large))
    found = note(replace(OVERFIT, label=Label.UNDERFIT), context).split("**What to try next**\n\n")[1]
    assert found.startswith("- What the best has instead: hidden_layer_sizes [32], alpha 1.\n- A larger model")
    assert "regularisation" not in found
    over = note(OVERFIT, context)
    assert "A smaller model" not in over
    assert "More regularisation" in over


def test_a_lone_config_is_not_said_to_lose_to_the_best() -> None:
    (late,) = named(recorded({"only": (falling(0.7, 40), falling(0.9, 40))})).values()
    assert (late.label, reason(late).split(":")[0]) == (Label.NOT_CONVERGED, "its validation loss still falls")
    (point,) = named(recorded({"only": ([0.3], [0.4])})).values()
    assert point.because == "for sure no worse than the constant predictor (it is alone)"


def test_the_best_is_not_compared_with_itself_and_a_good_one_not_accused() -> None:
    found = named(recorded(SHAPES, capacity=SIZES))
    assert "Its mean validation loss is the lowest of all." in found["right"].note
    assert "It loses" not in found["right"].note
    assert "learned noise" not in found["right"].note
    assert "within one standard error of the best is this one" in found["right"].note
    assert "What the best has instead" in found["large"].note


def test_every_label_has_its_words() -> None:
    closed = set(Label) - {Label.INCONCLUSIVE}
    assert set(MEANINGS) == set(STEPS) == closed
    assert set(LEANINGS) == closed - {Label.DIVERGED, Label.NOT_ASSESSED}


def test_every_note_has_meaning_interval_n_method_and_what_next() -> None:
    for seeds in (1, 3, 5):
        for name, verdict in named(recorded({**SHAPES, "late": (falling(0.7, 40), falling(0.9, 40))}, seeds)).items():
            assert verdict.note.startswith(f"**{verdict.text}** – {name}\n\n")
            for part in (
                f"n = {seeds} seed",
                "90 % intervals (" if seeds > 1 else "so there are no intervals",
                "Validation loss",
                "compared with 3 other Configs that completed",
            ):
                assert part in verdict.note, (seeds, name)
            if verdict.label is not Label.GOOD:
                assert "**What to try next**" in verdict.note
            assert "nan" not in verdict.note
            assert "None" not in verdict.note


def test_a_verdict_is_brief_where_there_is_little_room() -> None:
    assert (OVERFIT.text, OVERFIT.brief) == ("overfit", "overfit")
    leaning = Verdict(Label.INCONCLUSIVE, Label.NOT_CONVERGED)
    assert (leaning.text, leaning.brief) == ("inconclusive, leaning not converged", "not converged?")
    assert named(recorded({"a": GOOD, "b": GOOD}))["a"].brief in ("good", "good?")


@given(st.floats(allow_nan=False), st.floats(allow_nan=False))
def test_different_values_never_look_alike(one: float, other: float) -> None:
    assert (shown(one) == shown(other)) == (one == other and math.copysign(1, one) == math.copysign(1, other))
    assert [shown(value) for value in (0.01, 1.0, [32], "relu", None)] == ["0.01", "1", "[32]", "relu", "null"]


def test_numbers_are_written_for_people() -> None:
    assert [number(x) for x in (0.0, 1234.5, 0.0708, -0.5, 3e-9, math.inf, -1e300)] == [
        "0", "1234", "0.0708", "−0.500", "0.000000", "∞", "−1e+300",
    ]  # fmt: skip
    assert interval(t(0.25, 0.2, 0.3)) == "0.250 [0.200, 0.300]"
    assert interval(Interval(0.25, math.nan, math.nan, 0.9, 1, "t")) == "0.250"
    assert interval(t(-0.5, -0.5, -0.5)) == "−0.500 [−0.500, −0.500]"
    assert [listed(words) for words in ([], ["a"], ["a", "b", "c"])] == ["", "a", "a, b and c"]
    assert [counted(n, "Config") for n in (0, 1, 2)] == ["0 Configs", "1 Config", "2 Configs"]


def test_numbers_that_a_search_drew_have_four_digits_in_a_brief_name() -> None:
    read = read_spec({
        "name": "drawn", "data": {"kind": "iris"}, "model": {"kind": "mlp"}, "seeds": 2,
        "sweep": {"parameters": {
            "training.alpha": {"values": [0.00687214885064]}, "training.epochs": {"values": [12345]},
            "model.hidden_layer_sizes": {"values": [[32, 16]]},
        }},
    })  # fmt: skip
    (config,) = space.configs(read)
    assert brief_name(config) == "alpha 0.006872, epochs 12345, hidden_layer_sizes [32,16]"
