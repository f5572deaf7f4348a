"""Figures. Every function draws into the axes that it is given and returns them; it shows nothing and sets no style."""

from fitlab.plots.relations import norms_vs_gap
from fitlab.plots.weights import weight_heatmap, weight_histograms
from fitlab.plots.writing import write_weight_figures

__all__ = ["norms_vs_gap", "weight_heatmap", "weight_histograms", "write_weight_figures"]
