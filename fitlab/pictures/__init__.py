"""Small pictures for MLflow's image grid, drawn with Pillow: a twentieth of the time of a figure."""

from fitlab.pictures.bars import histogram_picture
from fitlab.pictures.cells import map_picture

__all__ = ["histogram_picture", "map_picture"]
