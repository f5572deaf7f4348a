"""The grammar of a spec: one declaration that is the defaults, the help, the JSON Schema and the logged params."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo, field_validator
from pydantic.json_schema import SkipJsonSchema

from fitlab.spec.base import Count, Section, Seed, refusal
from fitlab.spec.datasets import Data
from fitlab.spec.expect import Expectation
from fitlab.spec.models import Adam, Models, Training
from fitlab.spec.sweeps import CountedSeeds, Grid, Seeds, Sweeping, read_seeds


def _own_name(name: str) -> str:
    if name == "Default":
        raise refusal("MLflow has an experiment of this name of its own", "another name")
    return name


class Diagnosis(Section):
    """How verdicts and intervals are made."""

    margin: Annotated[float, Field(gt=0, lt=1)] = Field(
        0.05, description="what matters: this share of the constant predictor's loss"
    )
    level: Annotated[float, Field(gt=0, lt=1)] = Field(0.90, description="confidence level of every interval")
    corrected_resampling: bool = Field(
        False,
        description="widen the intervals behind verdicts where seeds deal one data set anew (Nadeau and Bengio 2003): "
        "safer near the margin, fewer verdicts",
    )
    capacity_axis: str | None = Field(None, description="the swept key that orders Configs from small to large")


class Running(Section):
    """How Fits are run and what happens where one fails. No part of what a Fit is: changing it trains nothing anew."""

    on_failure: Literal["continue", "stop"] = Field(
        "continue", description="stop: end the sweep when the first Fit has failed; what is done is kept"
    )
    retries: Annotated[int, Field(ge=0, le=100)] = Field(
        0, description="how often a Fit that failed is tried again before it counts as failed"
    )
    max_failures: Annotated[int, Field(ge=0)] | SkipJsonSchema[None] = Field(
        None, description="end the sweep when more Fits than these have failed; without it: never"
    )
    time_limit: Annotated[float, Field(gt=0)] | SkipJsonSchema[None] = Field(
        None, description="seconds of training after which a Fit has failed; a worker that hangs is killed"
    )

    @field_validator("max_failures")
    @classmethod
    def _one_limit(cls, value: int | None, info: ValidationInfo) -> int | None:
        if value is not None and info.data.get("on_failure") == "stop":
            raise refusal("on_failure: stop ends the sweep at the first one", "max_failures, or on_failure: stop")
        return value

    @property
    def allowed(self) -> int | None:
        """How many Fits may fail; None: all of them."""
        return 0 if self.on_failure == "stop" else self.max_failures


class Spec(Section):
    """One experiment: data, a model, how it is trained, and what is swept."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$"), AfterValidator(_own_name)] = Field(
        description="names the MLflow experiment and the files of the sweep; letters, digits and . _ - only"
    )
    question: Annotated[str, Field(max_length=2000)] = Field("", description="what the experiment is to answer")
    data: Data
    model: Models
    training: Training | SkipJsonSchema[None] = Adam()
    seeds: Annotated[Seeds, BeforeValidator(read_seeds, json_schema_input_type=Count | list[Seed] | Seeds)] = Field(
        CountedSeeds(count=5),
        description="a count, a list, or {count | values, vary: [split, init, order]}",
    )
    sweep: Sweeping = Field(Grid(), description="what is swept and how")
    diagnosis: Diagnosis = Diagnosis()
    run: Running = Field(Running(), description="what happens where a Fit fails, and how long one may take")
    expect: tuple[Expectation, ...] = Field((), description="what the sweep must show; checked when it is done")
