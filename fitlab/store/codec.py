"""One Fit as the bytes of one safetensors file.

Arrays are tensors under their names; everything else is one canonical JSON string under one metadata key:
``{"record": …, "provenance": …, "sha256": {"arrays": …, "json": …}}``. Both sums are checked at every read.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save

from fitlab.errors import SpecError
from fitlab.records import (
    RECORD_VERSION,
    Array,
    Config,
    Curves,
    Fit,
    Job,
    Outcome,
    Provenance,
    arrays_digest,
)
from fitlab.seeds import canonical, digest
from fitlab.spec import sections

KEY = "fitlab"


class CorruptFileError(Exception):
    """A file of the store is not what was written."""


def write_fit(fit: Fit) -> bytes:
    """Return the file of ``fit``. ``read_fit(write_fit(fit)) == fit``, non-finite numbers included."""
    arrays = fit.arrays
    provenance = None if fit.provenance is None else asdict(fit.provenance)
    body = {"record": fit.record, "provenance": provenance}
    sums = {"arrays": arrays_digest(arrays), "json": digest(body)}
    return save(arrays, {KEY: canonical({**body, "sha256": sums})})


def read_fit(data: bytes, job_digest: str | None = None) -> Fit:
    """Return the Fit that ``data`` holds.

    Raises CorruptFileError where a sum does not fit, or the job's digest, if it is given; ValueError for a record
    of a newer version.
    """
    try:
        arrays: dict[str, Array] = dict(load(data))
        length = int.from_bytes(data[:8], "little")
        meta = json.loads(json.loads(data[8 : 8 + length])["__metadata__"][KEY])
        sums = meta.pop("sha256")
        sound = sums == {"arrays": arrays_digest(arrays), "json": digest(meta)}
    except (
        SafetensorError,
        ValueError,
        KeyError,
        TypeError,
        RecursionError,
        MemoryError,
        OverflowError,
    ) as error:
        raise CorruptFileError(f"{type(error).__name__}: {error}") from None
    if not sound:
        raise CorruptFileError("its checksums do not fit")
    if job_digest is not None and digest(meta["record"]["job"]) != job_digest:
        raise CorruptFileError("it holds another job")
    if meta["record"]["record_version"] > RECORD_VERSION:
        raise ValueError("written by a newer fitlab")
    return _fit(meta, arrays)


def _fit(meta: dict[str, Any], arrays: dict[str, Array]) -> Fit:
    record, identity = meta["record"], meta["record"]["job"]
    arrays = {name: arrays[name] for name in record["arrays"]}  # in the order in which they were written
    try:
        config = Config(sections(identity["config"]), {})
    except SpecError as error:
        raise ValueError(f"its Config is not one of this version: {error}") from None
    job = Job(config, identity["seed"], tuple(identity["vary"]), identity["fingerprint"], identity["trainer"])
    curves, norms = _below(arrays, "curves/"), _below(arrays, "norms/")
    snapshots: dict[int, dict[str, Array]] = {}
    for name, array in _below(arrays, "snapshots/").items():
        epoch, _, rest = name.partition("/")
        snapshots.setdefault(int(epoch), {})[rest] = array
    return Fit(
        job=job,
        outcome=Outcome(record["outcome"]),
        epochs=record["epochs"],
        curves=Curves(curves.pop("epoch", np.empty(0, np.int64)), curves),
        norms=Curves(norms.pop("epoch", np.empty(0, np.int64)), norms),
        weights=_below(arrays, "weights/"),
        snapshots=snapshots,
        predictions=_below(arrays, "predictions/"),
        loss=record["loss"],
        null={name: float(value) for name, value in record["null"].items()},
        classes=tuple(record.get("classes", ())),
        sizes=record["sizes"],
        cause=record["cause"],
        provenance=None if meta["provenance"] is None else Provenance(**meta["provenance"]),
    )


def _below(arrays: dict[str, Array], prefix: str) -> dict[str, Array]:
    return {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}
