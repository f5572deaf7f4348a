"""The seeds and sweep sections: which points are trained, how often, and in which order they are proposed."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import (
    Discriminator,
    Field,
    JsonValue,
    Tag,
    ValidationInfo,
    field_validator,
    model_validator,
)

from fitlab.spec.base import Distinct, Section, Seed, refusal

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


class Grid(Section):
    """A survey of every combination."""

    method: Literal["grid"] = "grid"
    parameters: dict[str, Domain] = Field({}, description="swept keys, such as training.alpha, and their values")
    constraints: tuple[Constraint, ...] = Field((), description="limits that every Config must keep")
