"""Figures for papers, drawn with matplotlib into the user's axes: guests, which show nothing and change no setting.

Each function takes a record, a Sweep or a tidy DataFrame and ``ax``, and returns the axes; without ``ax`` it makes
some. What is drawn comes as a record with ``.table()``.
"""

from fitlab.plots.biases import bias_shift
from fitlab.plots.matrices import weight_heatmap, weight_histograms
from fitlab.plots.norms import norms_vs_gap
from fitlab.plots.saving import save
from fitlab.plots.written import write_config_figures, write_weight_figures

__all__ = [
    "bias_shift",
    "norms_vs_gap",
    "save",
    "weight_heatmap",
    "weight_histograms",
    "write_config_figures",
    "write_weight_figures",
]
