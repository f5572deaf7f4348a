"""Figures for papers, drawn with matplotlib into the user's axes: guests, which show nothing and change no setting.

Each function takes a record, a Sweep or a tidy DataFrame and ``ax``, and returns the axes; without ``ax`` it makes
some. What is drawn is a record with ``.table()`` and ``.caption``, which ``drawn(ax)`` gives back.
"""

from fitlab.plots.biases import bias_shift
from fitlab.plots.capacity import capacity_curve
from fitlab.plots.curves import learning_curves
from fitlab.plots.drawn import caption, drawn
from fitlab.plots.excess import gap_vs_excess
from fitlab.plots.importance import parameter_importance
from fitlab.plots.landscape import landscape
from fitlab.plots.matrices import weight_heatmap, weight_histograms
from fitlab.plots.norms import norms_vs_gap
from fitlab.plots.paper import VENUES, paper
from fitlab.plots.parallel import parallel_coordinates
from fitlab.plots.parts import bias_variance
from fitlab.plots.reliability import calibration
from fitlab.plots.saving import save
from fitlab.plots.sizes import sample_size_curve
from fitlab.plots.spectra import spectrum
from fitlab.plots.validation import validation_curve
from fitlab.plots.verdict_map import verdict_map
from fitlab.plots.written import write_config_figures, write_weight_figures

__all__ = [
    "VENUES",
    "bias_shift",
    "bias_variance",
    "calibration",
    "capacity_curve",
    "caption",
    "drawn",
    "gap_vs_excess",
    "landscape",
    "learning_curves",
    "norms_vs_gap",
    "paper",
    "parallel_coordinates",
    "parameter_importance",
    "sample_size_curve",
    "save",
    "spectrum",
    "validation_curve",
    "verdict_map",
    "weight_heatmap",
    "weight_histograms",
    "write_config_figures",
    "write_weight_figures",
]
