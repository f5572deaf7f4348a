"""Teachers: data whose truth is known. Defaults are the settings in which the closed forms are tabulated.

N rows to train on (``n_samples``), D features. Noise is Gaussian; ``noise`` is its standard deviation.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field, ValidationInfo, field_validator

from fitlab.spec.base import Count, Noise, Positive, Seed, refusal
from fitlab.spec.options import Rows, Unnamed


class Teacher(Unnamed):
    """Rows from a known law, drawn anew by every seed."""

    n_samples: Count = Field(100, description="rows to train on; fresh: false: rows of all parts")
    random_state: Seed = Field(0, description="seed of what all seeds share: coefficients, a fixed design")
    fresh: bool = Field(
        True,
        description="every seed draws rows of its own, validation and test in addition to n_samples (the test part by "
        "split_seed alone); false: one data set, drawn by random_state and dealt like any other",
    )
    validation: Rows = Field(1000, description="validation rows: a count, or a share of n_samples")
    test: Rows = Field(1000, description="test rows: a count, or a share of n_samples; never used to choose")
    scaling: Literal["standard", "minmax", "none"] = Field(
        "none", description="of the features, fitted on the training part alone"
    )


class LinearTeacher(Teacher):
    """y = x·w + noise; x standard normal, w of length 1 in a random direction.

    Least squares has test error noise² (1 + D / (N - D - 1)).
    """

    kind: Literal["linear_teacher"]
    n_features: Count = 10
    noise: Noise = 1.0


class DecayingTeacher(Teacher):
    """y = x·w + noise; x standard normal, w_j ∝ 1/j of length 1, of which the learner sees the first features.

    Belkin, Hsu and Xu 2020: double descent along n_visible.
    """

    kind: Literal["decaying_teacher"]
    n_samples: Count = Field(40, description="rows to train on; fresh: false: rows of all parts")
    n_features: Count = 200
    noise: Noise = 0.5
    n_visible: Count | None = Field(
        None, description="features that the learner sees, the first ones; null: all", validate_default=True
    )

    @field_validator("n_visible")
    @classmethod
    def _at_most_all(cls, n_visible: int | None, info: ValidationInfo) -> int | None:
        if n_visible is not None and n_visible > info.data.get("n_features", n_visible):
            raise refusal("more features than there are", f"at most n_features, {info.data['n_features']}")
        return n_visible


class PolynomialFixedX(Teacher):
    """y = cos(1.5πx) + noise; x uniform on [0, 1], the same in every part and for every seed."""

    kind: Literal["polynomial_fixed_x"]
    n_samples: Count = Field(30, description="points x, all in every part; fresh: false: rows of all parts")
    validation: Rows = Field(900, description="validation rows: a count, or a share of n_samples")
    test: Rows = Field(900, description="test rows: a count, or a share of n_samples; never used to choose")
    noise: Noise = 0.1


class FixedDesign(Teacher):
    """y = x·w + noise; x standard normal, the same in every part and for every seed; w = 1/√D in every entry."""

    kind: Literal["fixed_design"]
    n_samples: Count = Field(50, description="points x, all in every part; fresh: false: rows of all parts")
    n_features: Count = 20
    noise: Noise = 1.0


class Sine(Teacher):
    """y = sin(4x) + noise; training x uniform on [0, 1], the same for every seed; others on a grid of 50 points."""

    kind: Literal["sine"]
    noise: Noise = 0.3


class TwoBumps(Teacher):
    """y = exp(-x²) + 1.5 exp(-(x - 2)²) + noise; x uniform on [-5, 5].

    The data of scikit-learn's example of a tree against bagged trees (after Louppe 2014, section 4.2).
    """

    kind: Literal["two_bumps"]
    n_samples: Count = Field(50, description="rows to train on; fresh: false: rows of all parts")
    noise: Noise = 0.1


class MlpTeacher(Teacher):
    """y = f(x) + noise; x standard normal, f a random tanh network of one hidden layer, its output of variance 1."""

    kind: Literal["mlp_teacher"]
    n_samples: Count = Field(400, description="rows to train on; fresh: false: rows of all parts")
    n_features: Count = 10
    n_hidden: Count = Field(8, description="hidden units of the teacher")
    noise: Noise = 0.3


class GaussianLogistic(Teacher):
    """P(y = 1 | x) = 1 / (1 + exp(-(intercept + signal x·w))); x standard normal, w of length 1."""

    kind: Literal["gaussian_logistic"]
    n_samples: Count = Field(200, description="rows to train on; fresh: false: rows of all parts")
    n_features: Count = 10
    signal: Positive = Field(2.0, description="log-odds per standard deviation along w")
    intercept: float = Field(0.0, description="log-odds at x = 0")


class ThresholdTeacher(Teacher):
    """y = 1 where x > threshold, else 0; x one standard normal number.

    A linear classifier without a bias separates at 0 alone: it is right for 1/2 + Φ(-|threshold|) of the rows.
    """

    kind: Literal["threshold_teacher"]
    n_samples: Count = Field(400, description="rows to train on; fresh: false: rows of all parts")
    threshold: float = Field(1.0, description="where the classes meet")


FixedX = (PolynomialFixedX, FixedDesign, Sine)
Classifying = (GaussianLogistic, ThresholdTeacher)  # all others set a regression
TeacherData = (
    LinearTeacher | DecayingTeacher | PolynomialFixedX | FixedDesign | Sine | TwoBumps | MlpTeacher
    | GaussianLogistic | ThresholdTeacher
)  # fmt: skip
