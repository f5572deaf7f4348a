"""One Fit as the bytes of one safetensors file.

Arrays are tensors under their names; everything else is one canonical JSON string under one metadata key:
``{"record": …, "provenance": …, "more": …, "sums": {name: sha256 of the array}, "sha256": of the rest of this}``.
So the head of a file can be checked without its arrays, and each array when it is read.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import load, save

from fitlab.arrays import Fetch, Stored, array_sum, arrays_digest
from fitlab.errors import SpecError
from fitlab.records import RECORD_VERSION, Array, Config, Curves, Fit, Job, Outcome, Provenance
from fitlab.seeds import canonical, digest
from fitlab.spec import sections

KEY = "fitlab"
UPGRADE = "upgrade fitlab, or use another store (--store)"
CURVES = ("curves/", "norms/", "probes/")  # how the names of arrays begin that a Fit has in memory
LATER = frozenset({"cpu", "blas", "tries"})  # of provenance; apart, because those who know no better refuse them there


class CorruptFileError(Exception):
    """A file of the store is not what was written."""


class OtherVersionError(Exception):
    """A file of the store is sound, but not for this version."""


def write_fit(fit: Fit) -> bytes:
    """Return the file of ``fit``. ``read_fit(write_fit(fit)) == fit``, non-finite numbers included."""
    made = {} if fit.provenance is None else asdict(fit.provenance)
    more = {key: made.pop(key) for key in sorted(LATER & made.keys())}
    head = {"record": fit.record, "provenance": made or None, "more": more, "sums": fit.sums}
    return save(fit.arrays, {KEY: canonical({**head, "sha256": digest(head)})})


def read_fit(data: bytes, job_digest: str | None = None, fetch: Fetch | None = None) -> Fit:
    """Return the Fit that ``data`` holds, all of it checked.

    fetch: what reads weights, snapshots and predictions later; without it they stay in memory.
    Raises CorruptFileError where a sum does not fit, or the job's digest, if it is given; OtherVersionError.
    """
    with _corrupt():
        arrays: dict[str, Array] = dict(load(data))
        length = int.from_bytes(data[:8], "little")
        head = _head(json.loads(data[8 : 8 + length])["__metadata__"], job_digest)
        sums = _sums(head, arrays, arrays.__getitem__)
        found = {name: array_sum(array) for name, array in arrays.items()}
        if sums != found:
            raise CorruptFileError("its checksums do not fit")
    return _fit(head, sums, arrays, fetch or partial(_picked, {found[name]: array for name, array in arrays.items()}))


def read_head(path: str | os.PathLike[str], job_digest: str, fetch: Fetch) -> Fit:
    """Return the Fit of a file as ``read_fit`` does, with no array read and checked but the curves.

    Raises OSError where the file cannot be read, CorruptFileError, OtherVersionError.
    """
    with _corrupt(), safe_open(path, "numpy") as file:
        head = _head(file.metadata(), job_digest)
        sums = _sums(head, file.keys(), file.get_tensor)
        curves = {name: file.get_tensor(name) for name in sums if name.startswith(CURVES)}
        if any(array_sum(array) != sums[name] for name, array in curves.items()):
            raise CorruptFileError("its checksums do not fit")
    return _fit(head, sums, curves, fetch)


def read_arrays(path: str | os.PathLike[str], wanted: Sequence[str]) -> list[Array]:
    """Return the arrays of a file that have the sums ``wanted``, checked.

    Raises OSError where the file cannot be read, CorruptFileError, also where it has no such array, OtherVersionError.
    """
    with _corrupt(), safe_open(path, "numpy") as file:
        sums = _sums(_head(file.metadata(), None), file.keys(), file.get_tensor)
        names = {found: name for name, found in sums.items()}
        if not names.keys() >= set(wanted):
            raise CorruptFileError("it was replaced by another Fit, which has not the same arrays")
        arrays = [file.get_tensor(names[one]) for one in wanted]
        if [array_sum(array) for array in arrays] != list(wanted):
            raise CorruptFileError("its checksums do not fit")
        return arrays


def _picked(arrays: Mapping[str, Array], wanted: Sequence[str]) -> list[Array]:
    return [arrays[one] for one in wanted]


@contextlib.contextmanager
def _corrupt() -> Iterator[None]:
    """Whatever damaged bytes make a reader raise says that they are damaged."""
    try:
        yield
    except (
        SafetensorError,
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        RecursionError,
        OverflowError,
    ) as error:
        raise CorruptFileError(f"{type(error).__name__}: {error}") from None


def _head(metadata: Mapping[str, str], job_digest: str | None) -> dict[str, Any]:
    """Return what a file holds beside arrays, checked."""
    head: dict[str, Any] = json.loads(metadata[KEY])
    if head["record"]["record_version"] > RECORD_VERSION:  # asked first: its sums may be made in another way
        raise OtherVersionError(f"written by a newer fitlab; {UPGRADE}")
    said = head.pop("sha256")
    total = said["arrays"] if isinstance(said, dict) else None  # version 1
    if digest(head) != (said if total is None else said["json"]):
        raise CorruptFileError("its checksum does not fit")
    if job_digest is not None and digest(head["record"]["job"]) != job_digest:
        raise CorruptFileError("it holds another job")
    return head if total is None else {**head, "total": total}


def _sums(head: Mapping[str, Any], names: Iterable[str], get: Callable[[str], Array]) -> dict[str, str]:
    """Return what the sums of the arrays are said to be; version 1 had one over all, which is checked here."""
    if "total" not in head:
        return dict(head["sums"])
    arrays = {name: get(name) for name in names}
    if arrays_digest(arrays) != head["total"]:
        raise CorruptFileError("its checksums do not fit")
    return {name: array_sum(array) for name, array in arrays.items()}


def _fit(head: Mapping[str, Any], sums: Mapping[str, str], arrays: Mapping[str, Array], fetch: Fetch) -> Fit:
    record, identity = head["record"], head["record"]["job"]
    try:
        config = Config(sections(identity["config"]), {})
    except SpecError as error:
        raise OtherVersionError(f"its Config is not one of this version: {error}") from None
    job = Job(config, identity["seed"], tuple(identity["vary"]), identity["fingerprint"], identity["trainer"])
    groups = _grouped(record["arrays"])

    def stored(names: Mapping[str, str]) -> Stored:
        return Stored({short: sums[name] for short, name in names.items()}, fetch)

    return Fit(
        job=job,
        outcome=Outcome(record["outcome"]),
        epochs=record["epochs"],
        curves=_curves(groups["curves"], arrays),
        norms=_curves(groups.get("norms", {}), arrays),
        probes=_curves(groups.get("probes", {}), arrays),
        weights=stored(groups.get("weights", {})),
        snapshots={int(group.partition("/")[2]): stored(names) for group, names in groups.items() if "/" in group},
        predictions=stored(groups.get("predictions", {})),
        loss=record["loss"],
        null={name: float(value) for name, value in record["null"].items()},
        classes=tuple(record.get("classes", ())),
        sizes=record["sizes"],
        cause=record["cause"],
        provenance=_provenance(head),
    )


def _provenance(head: Mapping[str, Any]) -> Provenance | None:
    if head["provenance"] is None:
        return None
    more = {key: value for key, value in head.get("more", {}).items() if key in LATER}
    return Provenance(**head["provenance"], **more)


def _curves(names: Mapping[str, str], arrays: Mapping[str, Array]) -> Curves:
    """Return curves that hold no more memory than their own."""
    curves = {short: np.array(arrays[name]) for short, name in names.items()}
    return Curves(curves.pop("epoch", np.empty(0, np.int64)), curves)


def _grouped(names: Iterable[str]) -> dict[str, dict[str, str]]:
    """Return {curves | weights | snapshots/EPOCH | predictions: {name there: whole name}}, in the order of names."""
    groups: dict[str, dict[str, str]] = {}
    for name in names:
        group, _, short = name.partition("/")
        if group == "snapshots":
            epoch, _, short = short.partition("/")
            group = f"{group}/{epoch}"
        groups.setdefault(group, {})[sys.intern(short)] = name
    return groups
