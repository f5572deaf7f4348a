"""Statistics for few seeds: pure, vectorised functions; an Interval where one number is estimated."""

from fitlab.stats.moderated import moderated_half_widths, moderated_t, prior_variance, sample_variances
from fitlab.stats.student import paired_t_interval, t_bound, t_interval

__all__ = [
    "moderated_half_widths",
    "moderated_t",
    "paired_t_interval",
    "prior_variance",
    "sample_variances",
    "t_bound",
    "t_interval",
]
