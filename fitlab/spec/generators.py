"""Data sets that scikit-learn's generators draw; parameter names and defaults are its own."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from fitlab.spec.base import Count, Fraction, Noise, Positive, Seed
from fitlab.spec.options import Unnamed


class Generated(Unnamed):
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
    noise: Noise = 0.0


class MakeCircles(Generated):
    """sklearn.datasets.make_circles."""

    kind: Literal["make_circles"]
    noise: Noise = 0.0
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
    noise: Noise = 0.0


class MakeFriedman(Generated):
    """sklearn.datasets.make_friedman1 (five of n_features matter); 2 and 3 have four features."""

    kind: Literal["make_friedman1"]
    n_features: Annotated[int, Field(ge=5)] = 10
    noise: Noise = 0.0


class MakeFriedman23(Generated):
    """sklearn.datasets.make_friedman2 and make_friedman3."""

    kind: Literal["make_friedman2", "make_friedman3"]
    noise: Noise = 0.0


class MakeSparseUncorrelated(Generated):
    """sklearn.datasets.make_sparse_uncorrelated."""

    kind: Literal["make_sparse_uncorrelated"]
    n_features: Annotated[int, Field(ge=4)] = 10


GeneratedData = (
    MakeClassification | MakeMoons | MakeCircles | MakeBlobs | MakeGaussianQuantiles | MakeHastie
    | MakeRegression | MakeFriedman | MakeFriedman23 | MakeSparseUncorrelated
)  # fmt: skip
