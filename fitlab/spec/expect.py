"""The expect section: what theory, or somebody's paper, says that a sweep must show; fitlab checks it afterwards."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, JsonValue, Tag, model_validator

from fitlab.spec.base import NonNegative, Section, refusal, tagged_by
from fitlab.spec.sweeps import Metric


class Final(Section):
    """A recorded metric at the last epoch, one value a seed."""

    kind: Literal["metric"]
    metric: Metric = Field(description="a recorded metric, or gap/loss, or n_parameters")


class OutputAtZero(Section):
    """The largest size of a network's output for an input of zeros, before softmax or the logistic function."""

    kind: Literal["output_at_zero"]


class ProbabilitiesAtZero(Section):
    """By how much a class's probability differs at most from 1/K for an input of zeros."""

    kind: Literal["probabilities_at_zero"]


class Homogeneity(Section):
    """The largest difference of f(2x) and 2 f(x) over 100 standard normal inputs x, f the output before softmax."""

    kind: Literal["homogeneity"]


class BiasAblation(Section):
    """By how much the validation loss rises if all biases of the trained network are set to zero."""

    kind: Literal["bias_ablation"]


class Tau(Section):
    """Kendall's rank correlation of a number of the parameters with an outcome along a swept axis, others fixed."""

    kind: Literal["kendall_tau"]
    parameter: Literal["norm", "distance", "path_norm", "spectral_product", "margin", "dead"] = Field(
        description="of the whole network, as `fitlab weights` has it"
    )
    outcome: Literal["loss/val", "error/val", "gap/loss"] = "loss/val"
    along: str = Field(description="a swept key")


class Argmin(Section):
    """The value of a swept key at which the mean of a metric over seeds is lowest, among the Configs selected."""

    kind: Literal["argmin"]
    metric: Metric = "loss/val"
    along: str = Field(description="a swept key whose values are numbers")


def _named(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    metric = "/" in value or value == "n_parameters"
    return {"kind": "metric", "metric": value} if metric else {"kind": value}


Quantity = Annotated[
    Annotated[Final, Tag("metric")]
    | Annotated[OutputAtZero, Tag("output_at_zero")]
    | Annotated[ProbabilitiesAtZero, Tag("probabilities_at_zero")]
    | Annotated[Homogeneity, Tag("homogeneity")]
    | Annotated[BiasAblation, Tag("bias_ablation")]
    | Annotated[Tau, Tag("kendall_tau")]
    | Annotated[Argmin, Tag("argmin")],
    tagged_by("kind"),
]


class Expectation(Section):
    """One claim, and the number that decides it: under every seed, or with a tolerance for the mean over seeds."""

    claim: Annotated[str, Field(min_length=1, max_length=500)] = Field(description="what is claimed, in a sentence")
    source: Annotated[str, Field(max_length=200)] = Field("", description="by whom")
    quantity: Annotated[Quantity, BeforeValidator(_named, json_schema_input_type=str | Quantity)] = Field(
        description="what is looked at; those without settings of their own by name, such as output_at_zero or loss/val"
    )
    where: dict[str, JsonValue] = Field({}, description="the Configs with these values of swept keys; default: all")
    equals: float | None = None
    at_least: float | None = None
    at_most: float | None = None
    within: Literal["standard_errors"] | NonNegative | None = Field(
        None,
        description="of equals: an absolute tolerance of the mean over seeds, or standard_errors: 4 of them, with less "
        "than 30 seeds Student's t at 1 - 1e-5. Default: every seed, exactly",
    )

    @model_validator(mode="after")
    def _decides(self) -> Expectation:
        bounds = [self.equals, self.at_least, self.at_most]
        if all(bound is None for bound in bounds) or (self.equals is not None and bounds.count(None) < 2):
            raise refusal("nothing decides this", "equals, or at_least, at_most or both")
        if self.within is not None and self.equals is None:
            raise refusal("a tolerance without a value", "within beside equals; a bound has no tolerance")
        return self
