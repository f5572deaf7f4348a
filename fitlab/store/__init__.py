"""The store: one file per Fit, one per sweep, all written atomically; no pickle anywhere."""

from fitlab.store.codec import CorruptFileError, read_fit, write_fit
from fitlab.store.disk import Planned, Store

__all__ = ["CorruptFileError", "Planned", "Store", "read_fit", "write_fit"]
