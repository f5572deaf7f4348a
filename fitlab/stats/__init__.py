"""Statistics for few seeds: pure, vectorised functions; an Interval where one number is estimated."""

from fitlab.stats.bands import Band, simultaneous_band
from fitlab.stats.bootstrap import bootstrap_interval
from fitlab.stats.decomposition import (
    Decomposition,
    log_loss_parts,
    part_interval,
    squared_error_parts,
    zero_one_parts,
)
from fitlab.stats.equivalence import equivalence_test, non_inferior
from fitlab.stats.extrapolation import Extrapolation, extrapolation
from fitlab.stats.fitted_prior import fitted_prior
from fitlab.stats.moderated import moderated_half_widths, moderated_t, prior_variance, sample_variances
from fitlab.stats.multiple import holm
from fitlab.stats.paired import paired_t_test, sign_flip_test
from fitlab.stats.permutation import max_min_gap, permutation_null
from fitlab.stats.power import seeds_needed, t_power
from fitlab.stats.power_laws import FittedLaws, Law, fitted_laws
from fitlab.stats.ranks import kendall_tau
from fitlab.stats.resplits import corrected_t_interval
from fitlab.stats.results import Equivalence, Null, Significance
from fitlab.stats.student import (
    paired_t_interval,
    standard_error,
    standard_error_of,
    t_bound,
    t_interval,
    t_quantile,
)

__all__ = [
    "Band",
    "Decomposition",
    "Equivalence",
    "Extrapolation",
    "FittedLaws",
    "Law",
    "Null",
    "Significance",
    "bootstrap_interval",
    "corrected_t_interval",
    "equivalence_test",
    "extrapolation",
    "fitted_laws",
    "fitted_prior",
    "holm",
    "kendall_tau",
    "log_loss_parts",
    "max_min_gap",
    "moderated_half_widths",
    "moderated_t",
    "non_inferior",
    "paired_t_interval",
    "paired_t_test",
    "part_interval",
    "permutation_null",
    "prior_variance",
    "sample_variances",
    "seeds_needed",
    "sign_flip_test",
    "simultaneous_band",
    "squared_error_parts",
    "standard_error",
    "standard_error_of",
    "t_bound",
    "t_interval",
    "t_power",
    "t_quantile",
    "zero_one_parts",
]
