"""Tables: CSV and Parquet files, and OpenML. Which column is what, and what becomes of gaps."""

from __future__ import annotations

import string
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationInfo, field_validator

from fitlab.spec.base import Count, Distinct, refusal
from fitlab.spec.options import DataOptions

LETTERS = f'"{string.ascii_letters}{string.digits}'  # and the quote: they stand within fields
Column = Annotated[str, Field(min_length=1)]
Columns = Annotated[tuple[Column, ...], Field(min_length=1), Distinct]


class Table(DataOptions):
    """Rows and named columns; text, true/false and named ``categorical`` columns are one-hot encoded."""

    features: Literal["all"] | Columns = Field(
        "all", description="columns to learn from; all: every one but target, group, time and sample_weight"
    )
    categorical: Annotated[tuple[Column, ...], Distinct] = Field(
        (),
        description="columns to encode as categories although they hold numbers, or numbers and text; "
        "the target among them: its values are labels",
    )
    task: Literal["auto", "classification", "regression"] = Field(
        "auto", description="auto: regression where the target holds non-integer numbers"
    )
    missing: Literal["refuse", "mean", "median", "most_frequent"] = Field(
        "refuse",
        description="missing numbers: refused, or imputed by what the training part says; "
        "a missing category is then a category of its own",
    )
    constant: Literal["refuse", "keep"] = Field("refuse", description="features with the same value in every row")
    group: Column | None = Field(
        None,
        description="column that says which rows belong together; needs split: {kind: group}",
        validate_default=True,
    )
    time: Column | None = Field(
        None, description="column of numbers or ISO 8601 dates; needs split: {kind: time}", validate_default=True
    )
    sample_weight: Column | None = Field(
        None,
        description="column of positive numbers, how much each row counts: in training, and in every loss and score",
    )

    @field_validator("stratify")
    @classmethod
    def _only_random_splits_are_stratified(cls, stratify: Any, info: ValidationInfo) -> Any:
        kind = _kind_of_split(info)
        if stratify is True and kind in {"group", "time"}:
            raise refusal(f"a {kind} split cannot keep class shares", "auto or false, which mean the same here")
        return stratify

    @field_validator("group", "time")
    @classmethod
    def _column_and_split_agree(cls, column: str | None, info: ValidationInfo) -> str | None:
        own, kind = str(info.field_name), _kind_of_split(info)
        if column is None and kind == own:
            swept = f"a sweep of data.{own} needs one here too, which its values replace"
            raise refusal("missing key", "the name of a column", f"split: {{kind: {own}}} deals rows by it; {swept}")
        if column is not None and kind is not None and kind != own:
            leak = {
                "group": "rows of one group would stand in training and test",
                "time": "the future would train what is tested on the past",
            }[own]
            raise refusal(f"{leak}: split.kind is {kind}", f"split: {{kind: {own}}}", _instead(own))
        return column


def _kind_of_split(info: ValidationInfo) -> str | None:
    return info.data["split"].kind if "split" in info.data else None


def _instead(column: str) -> str:
    return f"or, if that is no leak here, leave data.{column} out and list the columns to use in data.features"


class TableFile(Table):
    """A table in a file."""

    path: Annotated[str, Field(min_length=1)] = Field(
        description="the file, from the folder in which fitlab is run; what it holds is part of a job's identity"
    )
    target: Column = Field(description="column to predict")


class Csv(TableFile):
    """A CSV file with a header, in UTF-8; what is missing is an empty field, or one of na_values.

    Columns named in group or categorical are read as text: 01 is not 1.
    """

    kind: Literal["csv"]
    separator: Annotated[str, Field(min_length=1, max_length=1)] = Field(",", description="what separates two fields")
    decimal: Literal[".", ","] = Field(".", description="what stands before the decimals of a number")
    na_values: Annotated[tuple[Column, ...], Distinct] = Field(
        (), description="fields that mean a missing value beside empty ones, such as NA; no word does unless it is here"
    )

    @field_validator("separator")
    @classmethod
    def _can_separate(cls, separator: str) -> str:
        if separator != "\t" and (not separator.isascii() or not separator.isprintable() or separator in LETTERS):
            raise refusal("it cannot separate fields", "one ASCII character such as ',', ';', '|' or a tab, \"\\t\"")
        return separator

    @field_validator("decimal")
    @classmethod
    def _is_not_the_separator(cls, decimal: str, info: ValidationInfo) -> str:
        if decimal == info.data.get("separator"):
            raise refusal("it separates fields already", "another one than separator")
        return decimal


class Parquet(TableFile):
    """A Parquet file."""

    kind: Literal["parquet"]


class OpenML(Table):
    """A data set of openml.org, fetched by sklearn.datasets.fetch_openml and kept in its data home."""

    kind: Literal["openml"]
    constant: Literal["refuse", "keep"] = Field("keep", description="features with the same value in every row")
    target: Column | None = Field(None, description="column to predict; without it OpenML's own default target")
    name: Column | None = Field(None, description="name of the data set; or give data_id")
    version: Count | Literal["active"] = Field("active", description="of the name; active: the oldest that is active")
    data_id: Count | None = Field(
        None, description="number of the data set, which says its version too", validate_default=True
    )

    @field_validator("data_id")
    @classmethod
    def _named_once(cls, data_id: int | None, info: ValidationInfo) -> int | None:
        name, version = info.data.get("name"), info.data.get("version")
        if data_id is None and name is None and "name" in info.data:
            raise refusal("missing key", "a number, or a name instead")
        if data_id is not None and (name is not None or version != "active"):
            raise refusal("the data set is named twice", "either data_id, or name and version")
        return data_id


TableData = Csv | Parquet | OpenML
