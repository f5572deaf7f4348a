"""The data section: which data set, how it is dealt to the parts, disturbed and scaled.

Parameter names and defaults are scikit-learn's where it has one. Alternatives are tagged unions on ``kind``.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from fitlab.spec.base import Count, Distinct, Fraction, NonNegative, Positive, Section, Seed

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
    split: RandomSplit = Field(RandomSplit(), description="how rows are dealt to the parts")
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


class Bundled(DataOptions):
    """A data set that scikit-learn brings along."""

    kind: Literal["digits", "breast_cancer", "wine", "iris", "diabetes"]


class Arrays(DataOptions):
    """Arrays handed over from Python: fitlab.run(spec, data=(X, y))."""

    kind: Literal["arrays"]
    task: Literal["auto", "classification", "regression"] = Field(
        "auto", description="auto: regression where y holds non-integer numbers"
    )


class Generated(DataOptions):
    """A data set that a generator of scikit-learn draws from random_state."""

    n_samples: Count = Field(100, description="rows to draw")
    random_state: Seed = Field(0, description="seed of the generator")


class MakeClassification(Generated):
    """sklearn.datasets.make_classification."""

    kind: Literal["make_classification"]
    n_features: Count = 20
    n_informative: Count = 2
    n_redundant: Annotated[int, Field(ge=0)] = 2
    n_repeated: Annotated[int, Field(ge=0)] = 0
    n_classes: Annotated[int, Field(ge=2)] = 2
    n_clusters_per_class: Count = 2
    flip_y: Fraction = 0.01
    class_sep: float = 1.0
    hypercube: bool = True


class MakeMoons(Generated):
    """sklearn.datasets.make_moons."""

    kind: Literal["make_moons"]
    noise: NonNegative = 0.0


class MakeCircles(Generated):
    """sklearn.datasets.make_circles."""

    kind: Literal["make_circles"]
    noise: NonNegative = 0.0
    factor: Annotated[float, Field(ge=0, lt=1)] = 0.8


class MakeBlobs(Generated):
    """sklearn.datasets.make_blobs."""

    kind: Literal["make_blobs"]
    n_features: Count = 2
    centers: Annotated[int, Field(ge=2)] = 3
    cluster_std: Positive = 1.0


class MakeGaussianQuantiles(Generated):
    """sklearn.datasets.make_gaussian_quantiles."""

    kind: Literal["make_gaussian_quantiles"]
    n_features: Count = 2
    n_classes: Annotated[int, Field(ge=2)] = 3
    cov: Positive = 1.0


class MakeHastie(Generated):
    """sklearn.datasets.make_hastie_10_2."""

    kind: Literal["make_hastie_10_2"]
    n_samples: Count = 12000


class MakeRegression(Generated):
    """sklearn.datasets.make_regression."""

    kind: Literal["make_regression"]
    n_features: Count = 100
    n_informative: Annotated[int, Field(ge=0)] = 10
    bias: float = 0.0
    noise: NonNegative = 0.0


class MakeFriedman(Generated):
    """sklearn.datasets.make_friedman1 (five of n_features matter); 2 and 3 have four features."""

    kind: Literal["make_friedman1"]
    n_features: Annotated[int, Field(ge=5)] = 10
    noise: NonNegative = 0.0


class MakeFriedman23(Generated):
    """sklearn.datasets.make_friedman2 and make_friedman3."""

    kind: Literal["make_friedman2", "make_friedman3"]
    noise: NonNegative = 0.0


class MakeSparseUncorrelated(Generated):
    """sklearn.datasets.make_sparse_uncorrelated."""

    kind: Literal["make_sparse_uncorrelated"]
    n_features: Annotated[int, Field(ge=4)] = 10


GeneratedData = (
    MakeClassification | MakeMoons | MakeCircles | MakeBlobs | MakeGaussianQuantiles | MakeHastie
    | MakeRegression | MakeFriedman | MakeFriedman23 | MakeSparseUncorrelated
)  # fmt: skip

Data = Annotated[
    Bundled | Arrays | GeneratedData,
    Field(discriminator="kind", description="the data set, its parts, noise and scaling"),
]
