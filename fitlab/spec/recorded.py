"""A sweep that was trained elsewhere, of which fitlab has the curves alone. It stands in no spec file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter

from fitlab.errors import SpecError
from fitlab.spec.base import Distinct, Section
from fitlab.spec.model import Spec
from fitlab.spec.models import Sections
from fitlab.spec.sweeps import EXACT, ListedSeeds
from fitlab.spec.validate import validated

NAME, CAPACITY = "model.name", "model.capacity"  # what differs between Configs that were trained elsewhere


class RecordedData(Section):
    """Data that fitlab has not seen."""

    kind: Literal["recorded"]


class RecordedModel(Section):
    """A model that fitlab has not trained."""

    kind: Literal["recorded"]
    name: str = Field("", description="what the frame calls the Config")
    capacity: float | None = Field(None, description="its place from small to large")


class RecordedSections(Sections):
    """The sections of a Config that was trained elsewhere."""

    data: RecordedData  # type: ignore[assignment]  # a kind that no trainer is asked about
    model: RecordedModel  # type: ignore[assignment]
    training: None = None


class RecordedSeeds(ListedSeeds):
    """Seeds that nothing is drawn from: they tell Fits apart, and may be larger than what numpy takes."""

    values: Annotated[tuple[Annotated[int, Field(ge=0, le=EXACT)], ...], Distinct] = Field(strict=False, min_length=1)


class RecordedSpec(Spec):
    """A Spec whose Configs were trained elsewhere: it is diagnosed like any other, and cannot be run."""

    data: RecordedData  # type: ignore[assignment]
    model: RecordedModel  # type: ignore[assignment]
    training: None = None
    seeds: RecordedSeeds


_SPEC: TypeAdapter[RecordedSpec] = TypeAdapter(RecordedSpec)
_KIND = {"kind": "recorded"}


def recorded_spec(
    name: str, seeds: Sequence[int], diagnosis: Mapping[str, Any], configs: Sequence[str], ordered: bool
) -> RecordedSpec:
    """Return the Spec of a sweep that was trained elsewhere.

    diagnosis: margin and level. configs: their names. ordered: whether they have a capacity.
    Raises SpecError for a margin, a level or a seed that is none.
    """
    plain = {
        "name": name,
        "data": _KIND,
        "model": _KIND,
        "seeds": {"values": list(seeds)},
        "sweep": {"parameters": {NAME: {"values": list(configs)}}},
        "diagnosis": {**diagnosis, "capacity_axis": CAPACITY if ordered else None},
    }
    result = validated(_SPEC, plain)
    if result[0] is None:
        raise SpecError(result[1])
    return result[0]


def recorded_sections(name: str, capacity: float | None) -> RecordedSections:
    """Return the sections of a Config that was trained elsewhere."""
    model = RecordedModel(kind="recorded", name=name, capacity=capacity)
    return RecordedSections(data=RecordedData(kind="recorded"), model=model)
