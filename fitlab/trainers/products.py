"""Products of small matrices, A B = C and Aᵀ B = C, as fast as a processor multiplies and adds.

A tile of C, a few rows by two registers, stays in registers while the depth goes by, and is written once. That is what
OpenBLAS does at its best; else it packs matrices first, or takes a new processor for an old one, and needs three times
as long. Each entry is summed along the depth with one rounding a step, so that it depends neither on how wide registers
are nor on a library's version. What does not fit the caches is left to BLAS: how much that is depends on the registers.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core.cgutils import for_range_slice, get_or_insert_function
from numba.core.registry import cpu_target
from numba.extending import intrinsic

from fitlab.records import Floats
from fitlab.trainers.compiled import LINE, inner, pointer


def _lanes() -> int:
    """Return how many floats a register holds; 0 where no instruction multiplies and adds at once."""
    machine, _, features = cpu_target.target_context.codegen().magic_tuple()
    if machine.startswith(("aarch64", "arm64")):
        return 2
    has = features.split(",")
    return 0 if "+fma" not in has else 8 if "+avx512f" in has else 4


LANES = _lanes()
WIDE = 2 * LANES  # columns of a tile: two registers
HEIGHTS = (8, 4, 2, 1) if LANES == 8 else (4, 2, 1)  # rows of tiles, powers of two: the first takes most registers
LARGEST = 64 * LANES  # columns of B, at most, and the root of how many entries it has

# What np.dot calls: kind, transposed or not, sizes (columns, rows, depth), alpha, right, left, beta and out of dgemm,
# each with its stride; in Fortran's order, so that left and right change places.
_types: Any = types
_int, _size, _address = _types.int8, _types.intp, _types.voidptr
_sizes, _places = (_int,) * 3 + (_size,) * 3, (_address, _address, _size, _address, _size, _address, _address, _size)
_gemm = _types.ExternalFunction("numba_xxgemm", _types.int32(*_sizes, *_places))
ONE_AND_ZERO = np.array([1.0, 0.0])
REAL, AS_IT_IS, TURNED = ord("d"), ord("n"), ord("t")  # float64, not transposed, transposed: as BLAS writes it
SMALL = 1_000_000  # multiplications of a small product, at most: OpenBLAS's own bound


@inner
def _by_tiles(left: Floats, turned: bool, right: Floats, out: Floats) -> None:
    """Multiply strip by strip, where B fits the caches."""
    rows, columns = out.shape
    depth = len(right)
    if columns > LARGEST or depth * columns > LARGEST * LARGEST:
        _by_blas(left, turned, right, out)
        return
    down, along = (1, rows) if turned else (depth, 1)
    _multiply(rows, left.ctypes.data, down, along, right.ctypes.data, out.ctypes.data, columns, depth)


@inner
def _by_blas(left: Floats, turned: bool, right: Floats, out: Floats) -> None:
    """Multiply as np.dot does, in parts that OpenBLAS takes for small, without packing: a fifth quicker."""
    rows, columns = out.shape
    depth = len(right)
    part = SMALL // (depth * columns) // LINE * LINE
    part = rows if part == 0 else part
    stride, ahead = (rows, 1) if turned else (depth, depth)
    for first in range(0, rows, part):
        _gemm(
            REAL,
            AS_IT_IS,
            TURNED if turned else AS_IT_IS,
            columns,
            min(part, rows - first),
            depth,
            ONE_AND_ZERO.ctypes,
            right.ctypes,
            columns,
            pointer(left.ctypes.data + 8 * first * ahead),
            stride,
            pointer(ONE_AND_ZERO.ctypes.data + 8),
            pointer(out.ctypes.data + 8 * first * columns),
            columns,
        )


# ── strips and tiles, as LLVM's instructions: a compiler finds them in no loop ──────────────────────────────

FLOAT, WORD, INDEX = ir.DoubleType(), ir.IntType(64), ir.IntType(32)
REGISTER, WORDS = (ir.VectorType(kind, max(LANES, 1)) for kind in (FLOAT, WORD))
UNSET, ZEROS = ir.Constant(REGISTER, ir.Undefined), ir.Constant(REGISTER, None)
EVERY_LANE_FIRST = ir.Constant(ir.VectorType(INDEX, max(LANES, 1)), None)  # a shuffle
ALIGNED = ir.Constant(INDEX, 8)


def _as_product(_: Any, rows: Any, a: Any, down: Any, along: Any, b: Any, c: Any, columns: Any, depth: Any) -> Any:
    """Say how matrices are multiplied: given the rows of C, the addresses of A, B and C, by how many floats A goes on
    from row to row and along the depth, the columns of B and C, and the depth. None is 0.
    """

    def generate(context: Any, builder: ir.IRBuilder, _: Any, given: Any) -> Any:
        module, name = builder.module, "fitlab.product"
        builder.call(module.globals.get(name) or _product_in(module, name), given)
        return context.get_dummy_value()

    return _types.void(rows, a, down, along, b, c, columns, depth), generate


def _product_in(module: ir.Module, name: str) -> ir.Function:
    """Write the function of a product: strips side by side."""
    whole, two, one = (_strip_in(module, *kind) for kind in ((2, False), (2, True), (1, True)))
    made = _function(module, name, 8)
    *first, b, c, columns, depth = made.args
    build = ir.IRBuilder(made.append_basic_block())

    def strip(kind: ir.Function, column: ir.Value, width: ir.Value) -> None:
        build.call(kind, (*first, _on(build, b, column), _on(build, c, column), columns, depth, width))

    ends = build.and_(columns, _word(-WIDE))
    with for_range_slice(build, _word(0), ends, _word(WIDE), WORD) as (column, _):
        strip(whole, column, _word(WIDE))
    rest = build.sub(columns, ends)
    with build.if_else(build.icmp_signed(">", rest, _word(LANES))) as (more, less):
        with more:
            strip(two, ends, rest)
        with less, build.if_then(build.icmp_signed(">", rest, _word(0))):
            strip(one, ends, rest)
    build.ret_void()
    return made


def _strip_in(module: ir.Module, registers: int, part: bool) -> ir.Function:
    """Write the function of a strip of so many registers, of whose last one only a part, if so: tiles below each other,
    the highest ones first. It takes what a product does, and the columns that are meant.
    """
    made = _function(module, f"fitlab.strip.{registers}.{part}", 9)
    rows, a, down, along, b, c, columns, depth, width = made.args
    build = ir.IRBuilder(made.append_basic_block())
    done: ir.Value = _word(0)
    for height in HEIGHTS:
        tile, ends = _tile_in(module, height, registers, part), build.and_(rows, _word(-height))
        with for_range_slice(build, done, ends, _word(height), WORD) as (row, _):
            a_here, c_here = _on(build, a, build.mul(row, down)), _on(build, c, build.mul(row, columns))
            build.call(tile, (a_here, down, along, b, c_here, columns, depth, width))
        done = ends
    build.ret_void()
    return made


def _tile_in(module: ir.Module, height: int, registers: int, part: bool) -> ir.Function:
    """Write the function of a tile, which takes what a strip does, less the rows."""
    made = _function(module, f"fitlab.tile.{height}.{registers}.{part}", 8)
    a, down, along, b, c, columns, depth, width = made.args
    before, loop, after = (made.append_basic_block() for _ in range(3))
    tile = _Writer(module, before, registers if part else 0)
    build = tile.build
    a, b, c = (build.inttoptr(address, FLOAT.as_pointer()) for address in (a, b, c))
    if part:
        tile.limit(width)
    build.branch(loop)

    build.position_at_end(loop)
    step, left, right = (build.phi(kind) for kind in (WORD, a.type, b.type))
    sums = {(row, register): build.phi(REGISTER) for row in range(height) for register in range(registers)}
    of_a = [tile.spread(build.load(tile.at(left, down, row))) for row in range(height)]
    of_b = [tile.load(right, register) for register in range(registers)]
    more = {(row, register): tile.added(of_a[row], of_b[register], old) for (row, register), old in sums.items()}
    ahead = build.add(step, _word(1))
    states = [(step, _word(0), ahead), (left, a, tile.at(left, along)), (right, b, tile.at(right, columns))]
    for state, at_first, then in (*states, *((old, ZEROS, more[place]) for place, old in sums.items())):
        state.add_incoming(at_first, before)
        state.add_incoming(then, loop)
    build.cbranch(build.icmp_signed("<", ahead, depth), loop, after)

    build.position_at_end(after)
    for (row, register), total in more.items():
        tile.store(total, tile.at(c, columns, row), register)
    build.ret_void()
    return made


def _word(value: int) -> ir.Constant:
    return ir.Constant(WORD, value)


def _on(build: ir.IRBuilder, address: ir.Value, floats: ir.Value) -> ir.Value:
    """Return the address so many floats on."""
    return build.add(address, build.shl(floats, _word(3)))


def _function(module: ir.Module, name: str, words: int) -> ir.Function:
    """Return a function of so many words that is never copied to where it is called."""
    made = ir.Function(module, ir.FunctionType(ir.VoidType(), (WORD,) * words), name)
    made.linkage = "linkonce_odr"
    made.attributes.add("noinline")
    return made


class _Writer:
    """Instructions for whole registers. part: the one, counted from 1, that ``limit`` cuts."""

    def __init__(self, module: ir.Module, block: ir.Block, part: int) -> None:
        self.module, self.build, self.part = module, ir.IRBuilder(block), part

    def limit(self, columns: ir.Value) -> None:
        """Say how many columns are meant of all registers together."""
        count = ir.Constant(WORDS, [(self.part - 1) * LANES + lane for lane in range(LANES)])
        first = self.build.insert_element(ir.Constant(WORDS, ir.Undefined), columns, _index(0))
        self.mask = self.build.icmp_signed("<", count, self.build.shuffle_vector(first, first, EVERY_LANE_FIRST))

    def at(self, place: ir.Value, stride: ir.Value, times: int = 1) -> ir.Value:
        """Return the address so many strides on."""
        return self.build.gep(place, [self.build.mul(stride, _word(times))])

    def spread(self, value: ir.Value) -> ir.Value:
        """Return a register of copies."""
        return self.build.shuffle_vector(self.build.insert_element(UNSET, value, _index(0)), UNSET, EVERY_LANE_FIRST)

    def added(self, left: ir.Value, right: ir.Value, total: ir.Value) -> ir.Value:
        """Return left · right + total, rounded once."""
        return self._call("llvm.fma", REGISTER, left, right, total)

    def load(self, place: ir.Value, register: int) -> ir.Value:
        """Return a register from memory; 0 in lanes that are not meant."""
        place = self._of(place, register)
        if register + 1 == self.part:
            return self._call("llvm.masked.load", REGISTER, place, ALIGNED, self.mask, ZEROS)
        return self.build.load(place, align=8)

    def store(self, value: ir.Value, place: ir.Value, register: int) -> None:
        """Write the lanes of a register that are meant into memory."""
        place = self._of(place, register)
        if register + 1 == self.part:
            self._call("llvm.masked.store", ir.VoidType(), value, place, ALIGNED, self.mask)
        else:
            self.build.store(value, place, align=8)

    def _of(self, place: ir.Value, register: int) -> ir.Value:
        return self.build.bitcast(self.build.gep(place, [_word(register * LANES)]), REGISTER.as_pointer())

    def _call(self, name: str, returned: ir.Type, *given: ir.Value) -> ir.Value:
        kind = ir.FunctionType(returned, [value.type for value in given])
        full = f"{name}.v{LANES}f64{'.p0' if 'masked' in name else ''}"
        function: Any = get_or_insert_function
        return self.build.call(function(self.module, kind, full), given)


def _index(value: int) -> ir.Constant:
    return ir.Constant(INDEX, value)


_multiply: Any = intrinsic(_as_product)
product = _by_tiles if LANES else _by_blas  # writes left @ right, left.T @ right where turned, into out: no side is 0
