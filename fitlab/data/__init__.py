"""Data sets and their parts: what a job is trained, validated and tested on."""

from fitlab.data.dataset import Arrays, Dataset
from fitlab.data.sources import load, source_key
from fitlab.data.split import problems, split
from fitlab.data.truth import expected_at

__all__ = ["Arrays", "Dataset", "expected_at", "load", "problems", "source_key", "split"]
