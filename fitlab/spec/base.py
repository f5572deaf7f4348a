"""What every section of a spec is made of: frozen mappings, tags, bounds, and refusals in words."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Discriminator, Field
from pydantic_core import PydanticCustomError


class Section(BaseModel):
    """A frozen mapping that knows all of its keys."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False)


def tagged_by(key: str, default: str | None = None) -> Discriminator:
    """Choose the alternative by the value of ``key``; a section without it takes ``default``."""

    def choose(value: Any) -> str | None:
        found = value.get(key, default) if isinstance(value, dict) else getattr(value, key, None)
        return None if found is None else str(found)

    return Discriminator(choose)


T = TypeVar("T")


def refusal(message: str, allowed: str, hint: str | None = None) -> PydanticCustomError:
    """An error with the words that the user is to read; the parser takes them from its context."""
    return PydanticCustomError("fitlab", "{message}", {"message": message, "allowed": allowed, "hint": hint})


def did_you_mean(word: str, options: Iterable[str]) -> str | None:
    """Return the hint for a misspelt ``word``, if something near it exists."""
    names = list(options)
    near = difflib.get_close_matches(word, names, n=1, cutoff=0.6)
    if not near:  # a swept key written without its section
        near = [name for name in names if name.rsplit(".", 1)[-1] == word.rsplit(".", 1)[-1]][:1]
    return f"did you mean {near[0]}?" if near else None


def _unique(values: tuple[T, ...]) -> tuple[T, ...]:
    if len(set(values)) < len(values):
        raise refusal("the same value twice", "each value once")
    return values


Distinct = AfterValidator(_unique)
Count = Annotated[int, Field(ge=1)]
Fraction = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0)]
NonNegative = Annotated[float, Field(ge=0)]
Noise = Annotated[float, Field(ge=0, le=1e100)]  # a standard deviation, whose square is finite
Seed = Annotated[int, Field(ge=0, le=2**32 - 1)]
