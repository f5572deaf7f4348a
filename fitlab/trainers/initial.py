"""Initial parameters from a file: the Fit of another job, or any safetensors file with our names.

What the file holds is part of a job's identity, by the sha256 of its arrays.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load

from fitlab.arrays import arrays_digest, plain_array
from fitlab.errors import Problem, SpecError
from fitlab.records import Array, Floats
from fitlab.spec.models import Initial, Mlp
from fitlab.trainers import layout

PREFIX = "weights/"  # under which a Fit has them
NAME = re.compile(r"(hidden_\d+|output)/(weight|bias)")
AT = ("model", "initial", "path")


def identity(initial: Initial) -> str:
    """Return the sha256 of the parameters in the file. Raises SpecError where it cannot be read."""
    return arrays_digest(_arrays(initial))


def problems(initial: Initial) -> Iterator[Problem]:
    """Yield what is wrong with the file whatever the network is."""
    try:
        arrays = _arrays(initial)
    except SpecError as error:
        yield from error.problems
        return
    broken = [name for name, array in arrays.items() if array.dtype.kind != "f" or not np.isfinite(array).all()]
    if broken:
        yield Problem(AT, "parameters that are not finite numbers", ", ".join(broken))


def misfits(model: Mlp, initial: Initial, sizes: Mapping[str, int]) -> Iterator[Problem]:
    """Yield what of the file does not fit the network: arrays that it lacks, or has besides, and shapes."""
    arrays = _arrays(initial)
    wanted = {
        name: view.shape for name, view in _chosen(model, initial, sizes, np.empty(layout.n_parameters(model, sizes)))
    }
    unknown = [] if initial.layers == "all" else sorted({*initial.layers} - {name.split("/")[0] for name in wanted})
    if unknown:
        own = ", ".join(layout.layer_names(model))
        yield Problem(("model", "initial", "layers"), "not layers of this network", ", ".join(unknown), own)
    lacking = [name for name in wanted if name not in arrays]
    if lacking:
        hint = "layers: [hidden_1] takes some layers from it and draws the others"
        yield Problem(AT, f"it lacks {', '.join(lacking)}", ", ".join(arrays), ", ".join(wanted), hint)
    layers = {name.split("/")[0] for name in wanted}
    besides = [n for n in arrays if n not in wanted and (initial.layers == "all" or n.split("/")[0] in layers)]
    if besides:
        why = None if model.biases else "without its biases it would be another function"
        yield Problem(AT, f"it has {', '.join(besides)} besides", ", ".join(arrays), ", ".join(wanted), why)
    for name, shape in wanted.items():
        if name in arrays and arrays[name].shape != shape:
            yield Problem(AT, f"{name} has another shape", str(arrays[name].shape), str(shape))


def put(theta: Floats, model: Mlp, initial: Initial, sizes: Mapping[str, int], known: str) -> None:
    """Write the parameters of the file into theta (P,), in place. known: their identity when the job was planned.

    Raises SpecError where the file has changed since, or cannot be read any more.
    """
    arrays = _arrays(initial)
    if arrays_digest(arrays) != known:
        raise SpecError([Problem(AT, "the file has changed since the job was planned", initial.path)])
    for name, view in _chosen(model, initial, sizes, theta):
        view[...] = arrays[name]


def _chosen(model: Mlp, initial: Initial, sizes: Mapping[str, int], theta: Floats) -> Iterator[tuple[str, Array]]:
    """Yield the named views of theta that come from the file."""
    for name, view in layout.views(theta, model, sizes):
        if initial.layers == "all" or name.split("/")[0] in initial.layers:
            yield name, view


def _arrays(initial: Initial) -> dict[str, Array]:
    """Return the parameters in the file. Raises SpecError where there are none to be read."""
    path = Path(initial.path)
    try:
        there = path.expanduser()
        stat = there.stat()
        arrays = _read(there, stat.st_mtime_ns, stat.st_size)
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        if isinstance(error, KeyError):  # safetensors has types that numpy has not
            reason = f"its numbers are {error.args[0]}; save them as F32 or F64"
        hint = "a path starts in the folder where fitlab is run; a Fit is STORE/fits/DIGEST.safetensors"
        raise SpecError([Problem(AT, f"not a safetensors file: {reason}", str(path.absolute()), hint=hint)]) from None
    if not arrays:
        allowed = "hidden_1/weight, hidden_1/bias, …, output/weight, output/bias"
        raise SpecError([Problem(AT, "a file without parameters of a network", str(path.absolute()), allowed)])
    return arrays


@lru_cache(maxsize=16)
def _read(path: Path, _changed: int, _size: int) -> dict[str, Array]:
    """Read a file once as long as it does not change."""
    found: dict[str, Array] = load(path.read_bytes())
    fit = any(name.startswith(PREFIX) for name in found)
    named = {name.removeprefix(PREFIX): array for name, array in found.items() if name.startswith(PREFIX) == fit}
    return {name: plain_array(array) for name, array in named.items() if NAME.fullmatch(name)}
