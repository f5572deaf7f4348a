"""The model and training sections: what is trained, and how.

Parameter names and defaults are scikit-learn's where it has one. Alternatives are tagged unions on ``kind``
(``solver`` for the training section).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, JsonValue, Tag
from pydantic.json_schema import SkipJsonSchema

from fitlab.spec.base import Count, Distinct, Fraction, NonNegative, Positive, Section, refusal, tagged_by
from fitlab.spec.datasets import Data


class Initial(Section):
    """Initial parameters from a safetensors file; what it holds is part of a job's identity."""

    path: Annotated[str, Field(min_length=1)] = Field(
        description="a Fit of a store (fits/DIGEST.safetensors), or arrays named hidden_1/weight, hidden_1/bias …"
    )
    layers: Literal["all"] | Annotated[tuple[str, ...], Field(min_length=1, strict=False), Distinct] = Field(
        "all", description="layers to take, such as [hidden_1]; the others are drawn as ever"
    )  # not strict: behind a BeforeValidator pydantic sees a list, not JSON


def _initial(value: Any) -> Any:
    return {"path": value} if isinstance(value, str) else value


class Mlp(Section):
    """A multi-layer perceptron: MLPClassifier or MLPRegressor, as the target asks."""

    kind: Literal["mlp"]
    hidden_layer_sizes: tuple[Annotated[int, Field(ge=1, le=100_000)], ...] = Field(
        (100,), description="units of each hidden layer; [] is a linear model", max_length=64
    )
    activation: Literal["identity", "logistic", "tanh", "relu"] = "relu"
    biases: bool = Field(True, description="whether the layers have biases")
    initial: Annotated[Initial | None, BeforeValidator(_initial, json_schema_input_type=str | Initial | None)] = Field(
        None, description="a file to begin from instead of parameters that the seed draws"
    )


class AutoAxis(Section):
    """The first that it has: warm_start growth of its trees, stages, partial_fit if its fit makes passes, none.

    partial_fit makes max_iter epochs (100 where it is not given); tol, early_stopping and the like make it one fit.
    """

    kind: Literal["auto"] = "auto"


class PartialFitAxis(Section):
    """Epochs of partial_fit over the training part."""

    kind: Literal["partial_fit"]
    epochs: Annotated[int, Field(ge=1, le=1_000_000)] = Field(100, description="passes over the training part")
    batch_size: Count = Field(32, description="rows of one call of partial_fit; the last of an epoch may be shorter")
    shuffle: bool = Field(True, description="draw a new order of the rows in every epoch")


class WarmStartAxis(Section):
    """Growth by warm_start: the estimator is fitted on, with more trees or iterations, up to its own parameter."""

    kind: Literal["warm_start"]
    parameter: str = Field("n_estimators", description="what grows, from step to the value that the parameters give")
    step: Count = Field(1, description="by how much it grows between two measurements")


class StagedAxis(Section):
    """Stages of one fit, by staged_predict or staged_predict_proba."""

    kind: Literal["staged"]


class NoAxis(Section):
    """No training axis: one fit, one point."""

    kind: Literal["none"]


Axis = Annotated[
    Annotated[AutoAxis, Tag("auto")]
    | Annotated[PartialFitAxis, Tag("partial_fit")]
    | Annotated[WarmStartAxis, Tag("warm_start")]
    | Annotated[StagedAxis, Tag("staged")]
    | Annotated[NoAxis, Tag("none")],
    tagged_by("kind"),
]


class Estimator(Section):
    """Any scikit-learn estimator by its import name, or a Pipeline of several."""

    kind: Literal["estimator"]
    estimator: str | Annotated[tuple[str, ...], Field(min_length=1)] = Field(
        description="import name such as sklearn.svm.SVC; a list is a Pipeline, its steps named as by make_pipeline"
    )
    parameters: dict[str, JsonValue] = Field(
        {}, description="as set_params takes them (ridge__alpha); {estimator: …, parameters: …} is one within"
    )
    axis: Axis = Field(AutoAxis(), description="what a learning curve of it runs along")


Model = Annotated[
    Mlp | Estimator,
    Field(discriminator="kind", description="what is trained"),
]


MODEL = "model"  # the swept key of a list of alternatives


def _how_many(value: Any) -> str:
    return "several" if isinstance(value, list | tuple) else "one"


def _some(models: tuple[Model, ...]) -> tuple[Model, ...]:
    if not models:
        raise refusal("an empty list", "at least one model")
    return models


Models = Annotated[
    Annotated[Model, Tag("one")] | Annotated[tuple[Model, ...], AfterValidator(_some), Tag("several")],
    Discriminator(_how_many),
    Field(description="what is trained, or a list of alternatives"),
]


def labels(models: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the names of alternatives, such as mlp, SVC or PolynomialFeatures+Ridge; SVC-2 for a second one."""
    found: list[str] = []
    for one in models:
        names = one.get("estimator", one.get("kind"))
        words = "+".join(
            str(name).rsplit(".", 1)[-1] for name in (names if isinstance(names, list | tuple) else [names])
        )
        again = sum(label == words or label.startswith(f"{words}-") for label in found)
        found.append(f"{words}-{again + 1}" if again else words)
    return found


class EarlyStopping(Section):
    """End training where the validation loss falls no further: of every epoch, the beginning included.

    The weights are then those of the last epoch, as the curves are; those of the best one are kept among the snapshots.
    """

    n_iter_no_change: Count = Field(10, description="more epochs without change in a row than this end training")
    tol: NonNegative = Field(1e-4, description="an epoch that lowers the lowest loss by less counts as no change")


def _stopping(value: Any) -> Any:
    return {} if value is True else value


class TrainingOptions(Section):
    """What every solver takes."""

    learning_rate_init: Positive = Field(1e-3, description="step size at the start")
    alpha: NonNegative = Field(1e-4, description="L2 penalty; scikit-learn divides it by the rows of each minibatch")
    batch_size: Count = Field(32, description="rows of a minibatch; the last one of an epoch may be shorter")
    epochs: Annotated[int, Field(ge=1, le=1_000_000)] = Field(100, description="passes over the training part")
    shuffle: bool = Field(True, description="draw a new order of the rows in every epoch")
    learning_rate_multipliers: tuple[NonNegative, ...] = Field(
        (), description="of the step size, one a layer from the input; 0 leaves a layer as it began; []: all 1"
    )
    early_stopping: Annotated[
        EarlyStopping | Literal[False], BeforeValidator(_stopping, json_schema_input_type=bool | EarlyStopping)
    ] = Field(False, description="stop on the validation loss, true: as by default; epochs are then the most there are")
    class_weight: Literal["balanced"] | None = Field(
        None,
        description="balanced: in training every class counts alike; losses and scores do not change their meaning",
    )
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
    power_t: NonNegative = Field(0.5, description="exponent of invscaling")
    tol: Positive = Field(1e-4, description="adaptive: an epoch that lowers the loss by less counts as no change")
    n_iter_no_change: Count = Field(10, description="adaptive: epochs without change before the rate is divided by 5")


class Lbfgs(Section):
    """Quasi-Newton, by scikit-learn's own estimator: one fit, without epochs, minibatches and curves."""

    solver: Literal["lbfgs"]
    alpha: NonNegative = Field(1e-4, description="L2 penalty; scikit-learn divides it by the training rows")
    max_iter: Count = Field(200, description="iterations at most")
    max_fun: Count = Field(15_000, description="evaluations of the loss at most")
    tol: NonNegative = Field(1e-4, description="it ends where no component of the gradient is larger")
    class_weight: Literal["balanced"] | None = Field(
        None,
        description="balanced: in training every class counts alike; losses and scores do not change their meaning",
    )


Training = Annotated[
    Annotated[Adam, Tag("adam")] | Annotated[Sgd, Tag("sgd")] | Annotated[Lbfgs, Tag("lbfgs")],
    tagged_by("solver", default="adam"),
    Field(description="the solver and its settings"),
]


class Sections(Section):
    """The three sections that a Config makes concrete; any key of them but kind can be swept."""

    data: Data
    model: Model
    training: Training | SkipJsonSchema[None] = Adam()  # None: an estimator has it among its own parameters
