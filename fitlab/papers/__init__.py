"""Text for papers: a LaTeX table and a paragraph on methods, with the numbers of a sweep filled in."""

from fitlab.escaping import escaped
from fitlab.papers.methods import methods_paragraph
from fitlab.papers.table import latex_table

__all__ = ["escaped", "latex_table", "methods_paragraph"]
