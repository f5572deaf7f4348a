"""The store: one file per Fit, one per sweep, all written atomically; no pickle anywhere."""

from fitlab.store.codec import CorruptFileError, read_fit, write_fit
from fitlab.store.disk import Lock, Planned, Store

__all__ = ["CorruptFileError", "Lock", "Planned", "Store", "read_fit", "write_fit"]
