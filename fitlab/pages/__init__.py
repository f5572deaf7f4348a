"""Pages that stand alone: one HTML file each, no network."""

from fitlab.pages.weights import weights_page

__all__ = ["weights_page"]
