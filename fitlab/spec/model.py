"""The grammar of a spec: one declaration that is the defaults, the help, the JSON Schema and the logged params.

Parameter names and defaults are scikit-learn's where it has one. Alternatives are tagged unions on ``kind``
(``solver`` for the training section, ``method`` for the sweep).
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    JsonValue,
    Tag,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError


class Section(BaseModel):
    """A frozen mapping that knows all of its keys."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False)


def _tag(key: str, default: str | None = None) -> Discriminator:
    """Choose the alternative by the value of ``key``; a section without it takes ``default``."""

    def choose(value: Any) -> str | None:
        found = value.get(key, default) if isinstance(value, dict) else getattr(value, key, None)
        return None if found is None else str(found)

    return Discriminator(choose)


T = TypeVar("T")


def _refusal(message: str, allowed: str) -> PydanticCustomError:
    """An error with the words that the user is to read; the parser takes ``allowed`` from its context."""
    return PydanticCustomError("fitlab", "{message}", {"message": message, "allowed": allowed})


def _unique(values: tuple[T, ...]) -> tuple[T, ...]:
    if len(set(values)) < len(values):
        raise _refusal("the same value twice", "each value once")
    return values


def _own_name(name: str) -> str:
    if name == "Default":
        raise _refusal("MLflow has an experiment of this name of its own", "another name")
    return name


Distinct = AfterValidator(_unique)
Count = Annotated[int, Field(ge=1)]
Rows = Annotated[int, Field(ge=1)] | Annotated[float, Field(gt=0, lt=1)]
Fraction = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0)]
NonNegative = Annotated[float, Field(ge=0)]
Seed = Annotated[int, Field(ge=0, le=2**32 - 1)]
Part = Literal["train", "val", "test"]
PARTS: tuple[Part, ...] = ("train", "val", "test")


# ── data ────────────────────────────────────────────────────────────────────────────────────────────────────


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


# ── model and training ──────────────────────────────────────────────────────────────────────────────────────


class Mlp(Section):
    """A multi-layer perceptron: MLPClassifier or MLPRegressor, as the target asks."""

    kind: Literal["mlp"]
    hidden_layer_sizes: tuple[Annotated[int, Field(ge=1, le=100_000)], ...] = Field(
        (100,), description="units of each hidden layer; [] is a linear model", max_length=64
    )
    activation: Literal["identity", "logistic", "tanh", "relu"] = "relu"
    biases: bool = Field(True, description="whether the layers have biases")


Model = Mlp


class TrainingOptions(Section):
    """What every solver takes."""

    learning_rate_init: Positive = Field(1e-3, description="step size at the start")
    alpha: NonNegative = Field(1e-4, description="L2 penalty; scikit-learn divides it by the rows of each minibatch")
    batch_size: Count = Field(32, description="rows of a minibatch; the last one of an epoch may be shorter")
    epochs: Annotated[int, Field(ge=1, le=1_000_000)] = Field(100, description="passes over the training part")
    shuffle: bool = Field(True, description="draw a new order of the rows in every epoch")
    snapshots: Annotated[tuple[Annotated[int, Field(ge=0)], ...], Distinct] = Field(
        (), description="epochs after which weights and biases are kept; the last epoch always is"
    )


class Adam(TrainingOptions):
    """Kingma and Ba 2015."""

    solver: Literal["adam"] = "adam"
    beta_1: Annotated[float, Field(ge=0, lt=1)] = 0.9
    beta_2: Annotated[float, Field(ge=0, lt=1)] = 0.999
    epsilon: Positive = 1e-8


class Sgd(TrainingOptions):
    """Stochastic gradient descent with momentum."""

    solver: Literal["sgd"]
    momentum: Fraction = 0.9
    nesterovs_momentum: bool = True
    learning_rate: Literal["constant", "invscaling", "adaptive"] = "constant"
    power_t: float = Field(0.5, description="exponent of invscaling")
    tol: Positive = Field(1e-4, description="adaptive: an epoch that lowers the loss by less counts as no change")
    n_iter_no_change: Count = Field(10, description="adaptive: epochs without change before the rate is divided by 5")


Training = Annotated[
    Annotated[Adam, Tag("adam")] | Annotated[Sgd, Tag("sgd")],
    _tag("solver", default="adam"),
    Field(description="the solver and its settings"),
]


class Sections(Section):
    """The three sections that a Config makes concrete; any key of them but kind can be swept."""

    data: Data
    model: Model
    training: Training = Adam()


# ── seeds, sweep, diagnosis ─────────────────────────────────────────────────────────────────────────────────

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


def _seeds(value: Any) -> Any:
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
            raise _refusal("the range is empty", f"a number above low, which is {info.data['low']}")
        return high

    @field_validator("log")
    @classmethod
    def _log_from_above_zero(cls, log: bool, info: ValidationInfo) -> bool:
        if log and "low" in info.data and info.data["low"] <= 0:
            raise _refusal("a logarithmic range cannot start at 0 or below", "log: true only with low > 0")
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
            raise _refusal("a constraint without a bound", "min, max or both")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise _refusal("nothing lies between these bounds", "min at most max")
        return self


class Constraint(Section):
    """A quantity that a Config must keep within bounds, or it is not trained."""

    n_parameters: Bound = Field(description="weights and biases of the network")


class Grid(Section):
    """A survey of every combination."""

    method: Literal["grid"] = "grid"
    parameters: dict[str, Domain] = Field({}, description="swept keys, such as training.alpha, and their values")
    constraints: tuple[Constraint, ...] = Field((), description="limits that every Config must keep")


class Diagnosis(Section):
    """How verdicts and intervals are made."""

    margin: Annotated[float, Field(gt=0, lt=1)] = Field(
        0.05, description="what matters: this share of the constant predictor's loss"
    )
    level: Annotated[float, Field(gt=0, lt=1)] = Field(0.90, description="confidence level of every interval")
    capacity_axis: str | None = Field(None, description="the swept key that orders Configs from small to large")


class Spec(Sections):
    """One experiment: data, a model, how it is trained, and what is swept."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$"), AfterValidator(_own_name)] = Field(
        description="names the MLflow experiment and the files of the sweep; letters, digits and . _ - only"
    )
    question: Annotated[str, Field(max_length=2000)] = Field("", description="what the experiment is to answer")
    seeds: Annotated[Seeds, BeforeValidator(_seeds, json_schema_input_type=Count | list[Seed] | Seeds)] = Field(
        CountedSeeds(count=5),
        description="a count, a list, or {count | values, vary: [split, init, order]}",
    )
    sweep: Grid = Field(Grid(), description="what is swept and how")
    diagnosis: Diagnosis = Diagnosis()
