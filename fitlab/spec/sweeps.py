"""The seeds and sweep sections: which points are trained, how often, and in which order they are proposed."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Discriminator,
    Field,
    JsonValue,
    Tag,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic.json_schema import SkipJsonSchema

from fitlab.spec.base import Count, Distinct, Section, Seed, refusal, tagged_by

Vary = Literal["split", "init", "order"]
VARY: tuple[Vary, ...] = ("split", "init", "order")


class CountedSeeds(Section):
    """Seeds 0, 1, … count-1."""

    count: Annotated[int, Field(ge=1, le=10_000)] = Field(description="how many seeds")
    vary: Annotated[tuple[Vary, ...], Distinct] = Field(
        VARY, strict=False, min_length=1, description="what a seed changes"
    )

    @property
    def values(self) -> tuple[int, ...]:
        """The seeds themselves."""
        return tuple(range(self.count))


class ListedSeeds(Section):
    """Seeds by name."""

    values: Annotated[tuple[Seed, ...], Distinct] = Field(strict=False, min_length=1, description="the seeds")
    vary: Annotated[tuple[Vary, ...], Distinct] = Field(
        VARY, strict=False, min_length=1, description="what a seed changes"
    )


def read_seeds(value: Any) -> Any:
    if isinstance(value, list):
        return {"values": value}
    return {"count": value} if isinstance(value, int) and not isinstance(value, bool) else value


def _seeds_tag(value: Any) -> str:
    listed = "values" in value if isinstance(value, dict) else isinstance(value, ListedSeeds)
    return "values" if listed else "count"


Seeds = Annotated[
    Annotated[CountedSeeds, Tag("count")] | Annotated[ListedSeeds, Tag("values")], Discriminator(_seeds_tag)
]


class Values(Section):
    """A parameter that takes each of a list of values."""

    values: Annotated[tuple[JsonValue, ...], Field(min_length=1)] = Field(description="the values, in this order")
    when: dict[str, JsonValue] = Field({}, description="the parameter exists only where these keys have these values")


EXACT = 2**53  # up to here every whole number is a float


class Range(Section):
    """A parameter between two bounds, both included; whole numbers where the key takes nothing else."""

    low: int | float = Field(description="lowest value")
    high: int | float = Field(description="highest value")
    log: bool = Field(False, description="space the points evenly on a logarithmic axis")
    points: Annotated[int, Field(ge=2, le=10_000)] | None = Field(
        None, description="points of a grid; whole numbers without it: every one"
    )
    when: dict[str, JsonValue] = Field({}, description="the parameter exists only where these keys have these values")

    @field_validator("high")
    @classmethod
    def _above_low(cls, high: int | float, info: ValidationInfo) -> int | float:
        if any(isinstance(end, int) and abs(end) > EXACT for end in (info.data.get("low"), high)):
            raise refusal("whole numbers beyond 2^53 are not exact", "smaller ones, or real numbers such as 1e20")
        if "low" in info.data and not info.data["low"] < high:
            raise refusal("the range is empty", f"a number above low, which is {info.data['low']}")
        return high

    @field_validator("log")
    @classmethod
    def _log_from_above_zero(cls, log: bool, info: ValidationInfo) -> bool:
        if log and "low" in info.data and info.data["low"] <= 0:
            raise refusal("a logarithmic range cannot start at 0 or below", "log: true only with low > 0")
        return log

    @property
    def whole(self) -> bool:
        """Whether both bounds are written as whole numbers."""
        return isinstance(self.low, int) and isinstance(self.high, int)


def _domain_tag(value: Any) -> str:
    listed = "values" in value if isinstance(value, dict) else isinstance(value, Values)
    return "values" if listed else "range"


Domain = Annotated[Annotated[Values, Tag("values")] | Annotated[Range, Tag("range")], Discriminator(_domain_tag)]


class Bound(Section):
    """Limits of a quantity, both included."""

    min: float | None = Field(None, description="lowest value that is trained")
    max: float | None = Field(None, description="highest value that is trained")

    @model_validator(mode="after")
    def _bounds_something(self) -> Bound:
        if self.min is None and self.max is None:
            raise refusal("a constraint without a bound", "min, max or both")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise refusal("nothing lies between these bounds", "min at most max")
        return self


class Constraint(Section):
    """A quantity that a Config must keep within bounds, or it is not trained."""

    n_parameters: Bound = Field(description="weights and biases of the network")


# ── what is optimised, when it is given up, how points are proposed ─────────────────────────────────────────

Metric = Literal[
    "loss/train", "loss/val", "accuracy/train", "accuracy/val", "r2/train", "r2/val", "gap/loss", "n_parameters"
]  # fmt: skip


class Objective(Section):
    """What a Config is judged by: a metric, the mean over seeds, at one epoch."""

    metric: Metric = Field(description="a recorded metric; losses, gaps and sizes are minimised, scores maximised")
    epoch: Literal["last", "best"] = Field("last", description="best: where the mean over seeds is best")

    @property
    def maximize(self) -> bool:
        """Whether more is better."""
        return self.metric.startswith(("accuracy/", "r2/"))


def _objectives(value: Any) -> Any:
    listed = value if isinstance(value, list) else [value]
    return tuple({"metric": one} if isinstance(one, str) else one for one in listed)


def _distinct_metrics(objectives: tuple[Objective, ...]) -> tuple[Objective, ...]:
    if len({one.metric for one in objectives}) < len(objectives):
        raise refusal("the same metric twice", "each metric once")
    return objectives


Objectives = Annotated[
    Annotated[tuple[Objective, ...], Field(min_length=1), AfterValidator(_distinct_metrics)],
    BeforeValidator(_objectives, json_schema_input_type=Metric | Objective | list[Metric | Objective]),
]


class Rungs(Section):
    """Epochs at which the Configs of a search are compared: min_epochs · reduction_factor^k."""

    min_epochs: Count = Field(3, description="the first rung: nothing is given up before it")
    reduction_factor: Annotated[int, Field(ge=2)] = Field(3, description="each rung is this many times the one before")


class Median(Rungs):
    """Give up a Config whose best value so far is worse than the median of the completed ones at this epoch."""

    type: Literal["median"]
    n_startup_trials: Annotated[int, Field(ge=0)] = Field(5, description="Configs that complete before any is given up")


class Hyperband(Rungs):
    """Successive halving in brackets (Li et al. 2018): only the best 1/reduction_factor goes on from a rung."""

    type: Literal["hyperband"]


class Swept(Section):
    """What every method takes."""

    parameters: dict[str, Domain] = Field({}, description="swept keys, such as training.alpha, and their values")
    constraints: tuple[Constraint, ...] = Field((), description="limits that every Config must keep")
    objective: Objectives = Field(
        (Objective(metric="loss/val"),),
        description="what the best Config is best at; several: none of them can be bettered without loss (Pareto)",
    )


class Grid(Swept):
    """A survey of every combination."""

    method: Literal["grid"] = "grid"


class Drawn(Swept):
    """What every method takes that draws its points."""

    trials: Annotated[int, Field(ge=1, le=100_000)] = Field(description="Configs that are trained")
    seed: Seed = Field(0, description="of the proposals; the seeds of training are those under seeds")


class Qmc(Drawn):
    """A survey of a Sobol sequence (Sobol 1967), scrambled by the seed: even coverage of every axis."""

    method: Literal["qmc"]


class Random(Drawn):
    """A survey of independent draws (Bergstra and Bengio 2012)."""

    method: Literal["random"]


class Tpe(Drawn):
    """A search by Optuna's tree-structured Parzen estimator (Bergstra et al. 2011)."""

    method: Literal["tpe"]
    wave: Count = Field(4, description="Configs that are proposed and trained together; another wave, another search")
    early_terminate: Annotated[Median | Hyperband, Field(discriminator="type")] | SkipJsonSchema[None] = Field(
        None, description="give up Configs that fall behind"
    )

    @field_validator("early_terminate")
    @classmethod
    def _one_objective(cls, value: Median | Hyperband | None, info: ValidationInfo) -> Median | Hyperband | None:
        if value is not None and len(info.data.get("objective", ())) > 1:
            raise refusal("several objectives have no order to give up by", "one objective, or no early_terminate")
        return value


Sweeping = Annotated[
    Annotated[Grid, Tag("grid")]
    | Annotated[Qmc, Tag("qmc")]
    | Annotated[Random, Tag("random")]
    | Annotated[Tpe, Tag("tpe")],
    tagged_by("method", default="grid"),
]
