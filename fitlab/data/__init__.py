"""Data sets and their parts: what a job is trained, validated and tested on."""

from fitlab.data.dataset import Arrays, Dataset
from fitlab.data.sources import load, source_key
from fitlab.data.split import problems, split

__all__ = ["Arrays", "Dataset", "load", "problems", "source_key", "split"]
