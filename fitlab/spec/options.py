"""What every data set takes: how its rows are dealt to the parts, disturbed and scaled."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, Tag, field_validator

from fitlab.spec.base import Distinct, Fraction, Section, Seed, refusal, tagged_by

Rows = Annotated[int, Field(ge=1)] | Annotated[float, Field(gt=0, lt=1)]
Part = Literal["train", "val", "test"]
PARTS: tuple[Part, ...] = ("train", "val", "test")


class LabelNoise(Section):
    """Replace labels by a uniform draw from all classes."""

    rate: Fraction = Field(0.0, description="share of rows whose label is drawn anew (it may come out the same)")
    parts: Annotated[tuple[Part, ...], Distinct] = Field(
        PARTS, strict=False, description="parts that get noise; [train] is the memorisation setting"
    )  # not strict: behind a BeforeValidator pydantic sees a list, not JSON


class RandomSplit(Section):
    """Parts drawn at random: the test part by split_seed, train and validation by the seed of the job."""

    kind: Literal["random"] = "random"


class GroupSplit(Section):
    """Whole groups on one side: the test part by split_seed, train and validation by the seed of the job."""

    kind: Literal["group"]


class TimeSplit(Section):
    """The latest rows for the test, those before for validation, the most recent before that for training."""

    kind: Literal["time"]


Split = Annotated[
    Annotated[RandomSplit, Tag("random")] | Annotated[GroupSplit, Tag("group")] | Annotated[TimeSplit, Tag("time")],
    tagged_by("kind", default="random"),
]


def _noise(value: Any) -> Any:
    return {"rate": value} if isinstance(value, int | float) and not isinstance(value, bool) else value


class DataOptions(Section):
    """What every data set takes: how it is split, disturbed and scaled."""

    train_size: Rows | Literal["all"] = Field(
        "all",
        description="training rows: a count, a share of all rows, or all that test and validation leave",
    )
    validation: Rows = Field(0.25, description="validation rows: a count or a share of all rows")
    test: Rows = Field(0.25, description="test rows: a count or a share of all rows; never used to choose")
    split_seed: Seed = Field(0, description="fixes the test part and the label noise for all seeds and Configs")
    split: Split = Field(
        RandomSplit(), description="how rows are dealt to the parts; group and time need the column of that name"
    )
    stratify: Literal["auto"] | bool = Field(
        "auto", description="keep class shares equal in all parts; auto: for classification"
    )
    label_noise: Annotated[LabelNoise, BeforeValidator(_noise, json_schema_input_type=Fraction | LabelNoise)] = Field(
        LabelNoise(), description="rate of labels replaced by a uniform draw, in every part unless parts says"
    )
    scaling: Literal["standard", "minmax", "none"] = Field(
        "standard", description="of the features, fitted on the training part alone"
    )
    target_scaling: Literal["standard", "none"] = Field(
        "none",
        description="of a regression target, fitted on the training part alone; losses are then in its units",
    )

    @field_validator("split", mode="before")
    @classmethod
    def _says_its_kind(cls, split: Any) -> Any:
        if isinstance(split, str):
            raise refusal("not a mapping", "{kind: random}, {kind: group} or {kind: time}", f"{{kind: {split}}}?")
        return split


class Unnamed(DataOptions):
    """Data without named columns: the rows can be dealt at random only."""

    split: RandomSplit = Field(RandomSplit(), description="how rows are dealt to the parts")

    @field_validator("split", mode="before")
    @classmethod
    def _no_column_to_split_by(cls, split: Any) -> Any:
        kind = split.get("kind") if isinstance(split, dict) else None
        if kind in ("group", "time"):
            hint = f"read a csv, parquet or openml table, and name its column: data.{kind}"
            raise refusal(f"this kind of data has no {kind} column", "{kind: random}", hint)
        return split
