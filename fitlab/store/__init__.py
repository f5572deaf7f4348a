"""The store: one file per Fit, one per sweep, all written atomically; no pickle anywhere."""

from fitlab.store.codec import CorruptFileError, read_fit, write_fit
from fitlab.store.disk import Planned, Store, as_decided

__all__ = ["CorruptFileError", "Planned", "Store", "as_decided", "read_fit", "write_fit"]
