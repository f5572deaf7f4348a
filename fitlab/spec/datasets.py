"""The data section: a tagged union on ``kind``. Parameter names and defaults are scikit-learn's where it has one."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from fitlab.spec.base import Distinct
from fitlab.spec.generators import GeneratedData
from fitlab.spec.options import Unnamed
from fitlab.spec.tables import TableData
from fitlab.spec.teachers import TeacherData


class Bundled(Unnamed):
    """A data set that scikit-learn brings along."""

    kind: Literal["digits", "breast_cancer", "wine", "iris", "diabetes"]
    classes: Annotated[tuple[Annotated[int, Field(ge=0)], ...], Field(min_length=2), Distinct] | Literal["all"] = Field(
        "all", description="rows of these classes alone, by their numbers: [1, 2]"
    )


class Arrays(Unnamed):
    """Arrays handed over from Python: fitlab.run(spec, data=(X, y))."""

    kind: Literal["arrays"]
    task: Literal["auto", "classification", "regression"] = Field(
        "auto", description="auto: regression where y holds non-integer numbers"
    )


Data = Annotated[
    Bundled | Arrays | GeneratedData | TableData | TeacherData,
    Field(discriminator="kind", description="the data set, its parts, noise and scaling"),
]
