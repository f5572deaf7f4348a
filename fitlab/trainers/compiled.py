"""How functions of the kernel are compiled: without the GIL, with floats in the order in which they are written."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numba import carray, njit, types  # type: ignore[attr-defined]
from numba.core import cgutils
from numba.extending import intrinsic

from fitlab.records import Floats

F = TypeVar("F", bound=Callable[..., Any])
LINE = 8  # floats of a cache line
PARTS = ("compiled", "products", "measures")  # what compiled functions are made of, beside their own modules


def compiled(**options: Any) -> Callable[[F], F]:
    """Compile without the GIL; floats keep their order of operations, and division by zero is inf."""
    jit: Any = njit
    decorator: Callable[[F], F] = jit(nogil=True, error_model="numpy", **options)
    return decorator


def entry(function: F) -> F:
    """Compile what is called from Python at its first call, and keep it on disk where a place can be written."""
    try:
        made: Any = compiled(cache=True)(function)
        _forget_others(Path(made.stats.cache_path), function.__module__.rpartition(".")[2])
    except (RuntimeError, OSError):  # numba found no such place
        return compiled()(function)
    return made  # type: ignore[no-any-return]


def _forget_others(folder: Path, module: str) -> None:
    """Remove what was compiled from other sources: numba compares what it kept with the file of the function alone."""
    sources = [Path(__file__).with_name(f"{name}.py").read_bytes() for name in (module, *PARTS)]
    stamp, said = folder / f"{module}.sources", sha256(b"".join(sources)).digest()
    if not stamp.is_file() or stamp.read_bytes() != said:
        for path in folder.glob(f"{module}.*.nb[ic]"):
            path.unlink(missing_ok=True)
        stamp.write_bytes(said)


inner = compiled()
fused = compiled(fastmath={"contract"})  # a product and a sum become one instruction with one rounding


def _as_pointer(_: Any, address: Any) -> Any:
    """Say how a pointer is made of an address."""
    return types.voidptr(address), lambda _c, builder, _s, values: builder.inttoptr(values[0], cgutils.voidptr_t)


def _as_copy(_: Any, into: Any, source: Any, size: Any) -> Any:
    """Say how bytes are copied from address to address: a loop would ask for each row whether the two overlap."""

    def generate(context: Any, builder: Any, _: Any, given: Any) -> Any:
        into, source = (builder.inttoptr(address, cgutils.voidptr_t) for address in given[:2])
        move: Any = cgutils.raw_memcpy
        move(builder, into, source, given[2], 1)
        return context.get_dummy_value()

    return types.void(into, source, size), generate


pointer: Any = intrinsic(_as_pointer)
_copy_bytes: Any = intrinsic(_as_copy)


@inner
def matrix(flat: Floats, start: int, rows: int, columns: int) -> Floats:
    """View part of a flat array, which must outlive the view, as (rows, columns).

    Slices and reshapes check and count references: 0.1 µs each, as long as a product for sixteen units.
    """
    view: Floats = carray(pointer(flat.ctypes.data + 8 * start), (rows, columns), np.float64)
    return view


@inner
def copy(source: Floats, start: int, into: Floats, first: int, count: int) -> None:
    """Copy ``count`` floats from ``start`` of one flat array to ``first`` of another one."""
    _copy_bytes(into.ctypes.data + 8 * first, source.ctypes.data + 8 * start, 8 * count)


@inner
def aligned(size: int) -> Floats:
    """Return an empty array that begins a cache line: products of matrices are then up to a third quicker."""
    whole = np.empty(size + LINE)
    skipped = -(whole.ctypes.data // 8) % LINE
    return whole[skipped : skipped + size]
