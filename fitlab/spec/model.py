"""The grammar of a spec: one declaration that is the defaults, the help, the JSON Schema and the logged params."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field
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
    expect: tuple[Expectation, ...] = Field((), description="what the sweep must show; checked when it is done")
