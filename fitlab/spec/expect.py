"""The expect section: what theory, or somebody's paper, says that a sweep must show; fitlab checks it afterwards."""

from __future__ import annotations

from typing import Annotated, Any, Literal, get_args

from pydantic import BeforeValidator, Discriminator, Field, JsonValue, Tag, model_validator

from fitlab.spec.base import Count, NonNegative, Section, did_you_mean, refusal, tagged_by
from fitlab.spec.sweeps import Metric


class Final(Section):
    """A recorded metric at the last epoch, one value a seed."""

    kind: Literal["metric"]
    metric: Metric = Field(description="a recorded metric, or gap/loss, or n_parameters")


class OutputAtZero(Section):
    """The largest size of a network's output for an input of zeros, before softmax or the logistic function."""

    kind: Literal["output_at_zero"]


class ProbabilitiesAtZero(Section):
    """By how much a class's probability differs at most from 1/K for an input of zeros."""

    kind: Literal["probabilities_at_zero"]


class Homogeneity(Section):
    """The largest difference of f(2x) and 2 f(x) over 100 standard normal inputs x, f the output before softmax."""

    kind: Literal["homogeneity"]


class BiasAblation(Section):
    """By how much the validation loss rises if all biases of the trained network are set to zero."""

    kind: Literal["bias_ablation"]


class Tau(Section):
    """Kendall's rank correlation of a number of the parameters with an outcome along a swept axis, others fixed."""

    kind: Literal["kendall_tau"]
    parameter: Literal["norm", "distance", "path_norm", "spectral_product", "margin", "dead"] = Field(
        description="of the whole network, as `fitlab weights` has it"
    )
    outcome: Literal["loss/val", "error/val", "gap/loss"] = "loss/val"
    along: str = Field(description="a swept key")


class Extremum(Section):
    """A place along an axis; among the Configs selected."""

    metric: Metric = "loss/val"
    along: str = Field(description="a swept key whose values are numbers, or lists of one")


class Argmin(Extremum):
    """The value of a swept key at which the mean of a metric over seeds is lowest."""

    kind: Literal["argmin"]


class Argmax(Extremum):
    """The value of a swept key at which the mean of a metric over seeds is highest: a peak."""

    kind: Literal["argmax"]


class Ratio(Section):
    """The mean of a metric over seeds, divided by that of another Config."""

    kind: Literal["ratio"]
    metric: Metric = "loss/val"
    to: Annotated[dict[str, JsonValue], Field(min_length=1)] = Field(
        description="the swept keys in which the other Config differs, and its values"
    )


class Part(Section):
    """A part of the test error over seeds (see ``fitlab.bias_variance``): of a Config, never used to choose one."""

    kind: Literal["part"]
    part: Literal["bias", "variance", "noise", "bias_and_noise", "interaction", "error"] = Field(
        description="bias (squared) and noise where the truth is known; interaction of zero_one_loss alone"
    )
    loss: Literal["squared_error", "log_loss", "zero_one_loss"] | None = Field(
        None, description="of which error; null: the one of the curves"
    )


class Additivity(Section):
    """By how much the parts of the test error miss it when they are added up, as a share of it: rounding alone."""

    kind: Literal["additivity"]
    loss: Literal["squared_error", "log_loss", "zero_one_loss"] | None = Field(
        None, description="of which error; null: the one of the curves"
    )


class Extrapolation(Section):
    """What a law of loss against training rows, fitted to fewer, says of a number of them (``sample_size_curves``)."""

    kind: Literal["extrapolation"]
    law: Literal["pow4", "mmf"] = "pow4"
    at: Count = Field(description="training rows of which the law is asked")
    up_to: Count | None = Field(None, description="training rows: the fit leaves out Configs with more; null: none")


class OnTest(Section):
    """What the Config that validation selects loses on test rows, which choose nothing."""

    kind: Literal["test_loss"]


class VerdictLabel(Section):
    """What a Config is said to do. One that only leans there is inconclusive."""

    kind: Literal["verdict"]


class CheckState(Section):
    """What a check of the whole sweep, such as SWP003 (double descent), came to."""

    kind: Literal["check"]
    code: Annotated[str, Field(pattern=r"^SWP[0-9]{3}$")] = Field(description="SWP001 … of sweeps")


LabelName = Literal[
    "good", "benign", "underfit", "overfit", "not_converged", "diverged", "unstable", "inconclusive"
]  # fmt: skip
StateName = Literal["found", "clear"]


class Theory(Section):
    """A closed form of a loss, or of its part that is looked at: each Config that is selected has its own number."""

    closed_form: Literal[
        "ridge_fixed_design",
        "gradient_descent_fixed_design",
        "polynomial_fixed_x",
        "nearest_neighbours_sine",
        "least_squares_gaussian",
        "minimum_norm_decaying",
        "threshold_without_bias",
    ] = Field(description="its name; docs are in fitlab/expectations/closed_forms.py")

    def is_of(self, quantity: Section) -> bool:
        """Whether this is about a quantity: the loss, or accuracy, on validation rows, or a part of the test error."""
        classified = self.closed_form == "threshold_without_bias"
        match quantity:
            case Final(metric=metric):
                return metric == ("accuracy/val" if classified else "loss/val")
            case Part(part=part, loss=loss):
                return not classified and part in ("bias", "variance", "noise") and loss in (None, "squared_error")
        return False


class Relative(Section):
    """A tolerance as a share of what is expected."""

    relative: NonNegative = Field(description="a share: 0.01 is one percent")


def _named(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    metric = "/" in value or value == "n_parameters"
    if metric and value not in get_args(Metric):
        raise refusal("unknown quantity", ", ".join(get_args(Metric)), did_you_mean(value, get_args(Metric)))
    return {"kind": "metric", "metric": value} if metric else {"kind": value}


def _shape(value: Any) -> str:
    """Which alternative of a tolerance or an exact value is meant."""
    return "text" if isinstance(value, str) else "mapping" if isinstance(value, dict | Section) else "number"


def _number_or(value: Any) -> str:
    return "mapping" if _shape(value) == "mapping" else "number"


Quantity = Annotated[
    Annotated[Final, Tag("metric")]
    | Annotated[OutputAtZero, Tag("output_at_zero")]
    | Annotated[ProbabilitiesAtZero, Tag("probabilities_at_zero")]
    | Annotated[Homogeneity, Tag("homogeneity")]
    | Annotated[BiasAblation, Tag("bias_ablation")]
    | Annotated[Tau, Tag("kendall_tau")]
    | Annotated[Argmin, Tag("argmin")]
    | Annotated[Argmax, Tag("argmax")]
    | Annotated[Ratio, Tag("ratio")]
    | Annotated[Part, Tag("part")]
    | Annotated[Additivity, Tag("additivity")]
    | Annotated[Extrapolation, Tag("extrapolation")]
    | Annotated[OnTest, Tag("test_loss")]
    | Annotated[VerdictLabel, Tag("verdict")]
    | Annotated[CheckState, Tag("check")],
    tagged_by("kind"),
]


class Expectation(Section):
    """One claim, and the number that decides it: under every seed, or with a tolerance for the mean over seeds."""

    claim: Annotated[str, Field(min_length=1, max_length=500)] = Field(description="what is claimed, in a sentence")
    source: Annotated[str, Field(max_length=200)] = Field("", description="by whom")
    quantity: Annotated[Quantity, BeforeValidator(_named, json_schema_input_type=str | Quantity)] = Field(
        description="what is looked at; those without settings of their own by name, such as output_at_zero or loss/val"
    )
    where: dict[str, JsonValue] = Field({}, description="the Configs with these values of swept keys; default: all")
    equals: (
        Annotated[Annotated[float, Tag("number")] | Annotated[Theory, Tag("mapping")], Discriminator(_number_or)] | None
    ) = Field(None, description="a number, or a closed form by its name")
    at_least: float | None = None
    at_most: float | None = None
    one_of: Annotated[tuple[float | LabelName | StateName, ...], Field(min_length=1)] | None = Field(
        None, description="of a verdict its labels, of a check its states, of argmin and argmax numbers"
    )
    within: (
        Annotated[
            Annotated[Literal["standard_errors"], Tag("text")]
            | Annotated[NonNegative, Tag("number")]
            | Annotated[Relative, Tag("mapping")],
            Discriminator(_shape),
        ]
        | None
    ) = Field(
        None,
        description="of equals: an absolute tolerance of the mean over seeds, a relative one, or standard_errors: 4 of "
        "them, with less than 30 seeds Student's t at 1 - 1e-5, with less than 5 nothing. Default: every seed, exactly",
    )

    @model_validator(mode="after")
    def _decides(self) -> Expectation:
        if self.where and isinstance(self.quantity, Tau | CheckState | OnTest):
            raise refusal("this quantity is of the whole sweep", "no where")
        if self.at_least is not None and self.at_most is not None and self.at_least > self.at_most:
            raise refusal("nothing lies between these bounds", "at_least no larger than at_most")
        bounds = [self.equals, self.one_of, self.at_least, self.at_most]
        alone = self.equals is not None or self.one_of is not None
        if all(bound is None for bound in bounds) or (alone and bounds.count(None) < 3):
            raise refusal("nothing decides this", "equals, or one_of, or at_least, at_most or both")
        if (self.one_of is not None) != bool(self._choices) and not isinstance(self.quantity, Extremum):
            raise refusal(f"a {self.quantity.kind} is not decided like that", "one_of" if self._choices else "a number")
        for given in self.one_of or ():
            if given not in self._choices if self._choices else isinstance(given, str):
                raise refusal(f"{self.quantity.kind} is never {given}", ", ".join(self._choices) or "numbers")
        if self.within is not None and self.equals is None:
            raise refusal("a tolerance without a value", "within beside equals; a bound has no tolerance")
        if isinstance(self.equals, Theory) and not self.equals.is_of(self.quantity):
            of = "accuracy/val" if self.equals.closed_form == "threshold_without_bias" else "loss/val, or a part of it"
            raise refusal(f"{self.equals.closed_form} says nothing of this quantity", of)
        return self

    @property
    def _choices(self) -> tuple[str, ...]:
        """The words that the quantity may come to; none where it is a number."""
        match self.quantity:
            case VerdictLabel():
                return get_args(LabelName)
            case CheckState():
                return get_args(StateName)
        return ()
