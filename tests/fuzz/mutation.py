"""Specs as nobody would write them: trees of shipped ones with keys moved, types swapped and hostile values."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

from conftest import ROOT
from hypothesis import strategies as st

from fitlab.spec.source import read_yaml

FILES = [*sorted((ROOT / "experiments").rglob("*.yaml")), ROOT / "fitlab" / "cli" / "template.yaml"]
TEXTS = [path.read_text(encoding="utf-8") for path in FILES]
TREES = [read_yaml(text, path.name).data for path, text in zip(FILES, TEXTS, strict=True)]


class Raw(str):
    """Text that is written as it is: a tag, an alias, a number that JSON does not know."""

    __slots__ = ()


class Pairs(list):
    """A mapping that may have a key twice."""

    __slots__ = ()


RAW = [
    ".nan", ".inf", "-.inf", "1e999", "-1e-999", "0x7fffffffffffffff", "0o777", "0b1", "1_000", "+1", "1" * 401, "1e3",
    "!!python/object/apply:os.system [touch escaped]", "!!python/name:os.system", "!!python/tuple [1, 2]",
    "!!binary aGVsbG8=", "!!set {a, b}", "!!omap [a: 1]", "!!timestamp 2026-01-01", "!local x", "!<tag:x> y", "!!int x",
    "&a [1]", "*a", "&a {b: *a}", "<<", "{<<: {a: 1}}", "{? [a]: b}", "{[a]: b}", "? a", "|", ">-", "'", '"', "#", "@",
    "`x`", "%TAG ! tag:x:", "\n---\n", "\n...\n", "2026-01-01", "12:30:45", "yes", "No", "~", "[", "}", ",", ":", "- -",
    "'a' 'b'", "\t", "\x00", "\x85", "\u2028", "\ufeff", "\x07", "\\", "$HOME", "${jobs}", "{{ 1 }}",
]  # fmt: skip
TEXT = [
    "", " ", "a", "A" * 10_000, "../../escaped", "/escaped", "~", "~root/x", "a\0b", "a\nb", "a\rb", "CON", ".", "..",
    "-", "-rf", "--help", "\ud800", "\u202eabc", "😀" * 50, "é", "e\u0301", "null", "true", "1e-3", "%s%n", "%", "?",
    "#", "'; --", "<script>alert(1)</script>", "[bold]x[/bold]", "[/nothing]", "{0.__class__}", "os.system", "sklearn",
    "sklearn.svm.SVC", "sklearn.utils.extmath.np.os.system", "__import__('os')", "model.hidden_layer_sizes",
    "training.alpha", "data.kind", "model", "sweep.parameters", "adam", "sgd", "lbfgs", "relu", "random", "grid", "tpe",
    "qmc", "csv", "digits", "mlp", "estimator", "/dev/zero", "/proc/self/mem", "/etc/passwd", "file:///etc/passwd",
    "http://127.0.0.1:9/x",
]  # fmt: skip
NUMBERS = [
    0, 1, -1, 2, 3, 7, 24, 2**31, 2**32 - 1, 2**53 + 1, 2**63, -(2**63), 10**30, 10**300, -0.0, 0.5, 1e-300, 5e-324,
    1e17, 1e100, 1e308, -1e308, 0.1, 1e-9, 1.0, 99.5,
]  # fmt: skip


def nested(depth: int) -> Any:
    """A list in a list, ``depth`` times."""
    found: Any = 1
    for _ in range(depth):
        found = [found]
    return found


def pairs(value: Any) -> Any:
    """Return a tree whose mappings are lists of pairs, which can be changed in any way."""
    if isinstance(value, dict):
        return Pairs([key, pairs(below)] for key, below in value.items())
    return [pairs(below) for below in value] if isinstance(value, list) else value


def written(tree: Any, ascii_only: bool) -> str:
    """Write a tree as YAML: its first level in lines, the rest as JSON would be, and what is Raw as it is."""
    if isinstance(tree, Pairs):
        return "\n".join(f"{_flow(key, ascii_only)}: {_flow(value, ascii_only)}" for key, value in tree) + "\n"
    return _flow(tree, ascii_only)


def _flow(value: Any, ascii_only: bool) -> str:
    match value:
        case Raw():
            return str(value)
        case Pairs():
            return (
                "{" + ", ".join(f"{_flow(key, ascii_only)}: {_flow(below, ascii_only)}" for key, below in value) + "}"
            )
        case list():
            return "[" + ", ".join(_flow(below, ascii_only) for below in value) + "]"
        case _:
            return json.dumps(value, ensure_ascii=ascii_only)


def spots(tree: Any) -> Iterator[tuple[Any, int]]:
    """Yield (container, index) of all that stands in a tree: of a mapping the pair."""
    waiting = [tree]
    while waiting:
        here = waiting.pop()
        for i, below in enumerate(here):
            yield here, i
            value = below[1] if isinstance(here, Pairs) else below
            if isinstance(value, list):
                waiting.append(value)


KEYS = sorted({here[i][0] for tree in TREES for here, i in spots(pairs(tree)) if isinstance(here, Pairs)})
values = st.one_of(
    st.sampled_from([None, True, False]),
    st.sampled_from(NUMBERS),
    st.sampled_from(TEXT),
    st.sampled_from(RAW).map(Raw),
    st.floats(allow_nan=False, allow_infinity=False),
    st.integers(-(2**70), 2**70),
    st.text(max_size=12),
    st.sampled_from([[], Pairs(), [[]], [1, "a", None], [0] * 200, nested(30), Pairs([["kind", "mlp"]])]),
    st.sampled_from(TREES).flatmap(lambda tree: st.sampled_from(list(tree.values()))).map(pairs),
).map(copy.deepcopy)  # what is drawn is changed further
ranges = st.fixed_dictionaries(
    {"low": values, "high": values}, optional={"log": st.booleans(), "points": values, "when": values}
).map(pairs)
domains = st.one_of(st.lists(values, min_size=1, max_size=3).map(lambda found: Pairs([["values", found]])), ranges)
ACTIONS = ["replace", "replace", "replace", "delete", "twice", "rename", "insert", "wrap", "empty", "swap"]


@st.composite
def mutated(draw: st.DrawFn) -> str:
    """A shipped spec with one to four changes to its tree."""
    tree = pairs(copy.deepcopy(draw(st.sampled_from(TREES))))
    for _ in range(draw(st.integers(1, 4))):
        found = list(spots(tree))
        if not found:
            break
        _change(draw, found)
    return written(tree, draw(st.booleans()))


def _likely(value: Any) -> st.SearchStrategy[Any]:
    """Return values that may well be taken where ``value`` was: what the grammar lets pass is to be tried, too."""
    match value:
        case bool():
            return st.booleans()
        case int():
            return st.integers(0, 12) | st.sampled_from(NUMBERS)
        case float():
            return st.floats(0, 1) | st.sampled_from(NUMBERS)
        case Pairs() if {"values", "low"} & {str(pair[0]) for pair in value}:
            return domains
        case list() if not isinstance(value, Pairs) and value:
            return st.lists(st.sampled_from(value) | values, max_size=4).map(copy.deepcopy)
        case _:
            return st.sampled_from(TEXT)


def _change(draw: st.DrawFn, found: list[tuple[Any, int]]) -> None:
    here, i = found[draw(st.integers(0, len(found) - 1))]
    mapping = isinstance(here, Pairs)
    value = here[i][1] if mapping else here[i]

    def put(new: Any) -> None:
        here[i] = [here[i][0], new] if mapping else new

    match draw(st.sampled_from(ACTIONS)):
        case "replace":
            put(draw(_likely(value) | values))
        case "delete":
            del here[i]
        case "twice":
            here.insert(i, copy.deepcopy(here[i]))
        case "rename" if mapping:
            here[i] = [draw(st.sampled_from(KEYS) | values), value]
        case "insert" if mapping:
            here.insert(i, [draw(st.sampled_from(KEYS)), draw(values)])
        case "wrap":
            put(Pairs([["values", value]]) if draw(st.booleans()) else [value])
        case "empty":
            put([] if isinstance(value, list) else "")
        case _:
            there, j = found[draw(st.integers(0, len(found) - 1))]
            if j < len(there):
                put(copy.deepcopy(there[j][1] if isinstance(there, Pairs) else there[j]))


@st.composite
def garbled(draw: st.DrawFn) -> bytes:
    """The text of a shipped spec with bytes changed, cut, doubled or put in."""
    text = draw(st.sampled_from(TEXTS)).encode()
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(text)))
        upto = min(len(text), at + draw(st.integers(0, 60)))
        match draw(st.sampled_from(["cut", "double", "put", "byte", "end"])):
            case "cut":
                text = text[:at] + text[upto:]
            case "double":
                text = text[:upto] + text[at:]
            case "put":
                text = text[:at] + draw(st.sampled_from([*RAW, *TEXT])).encode(errors="surrogatepass") + text[at:]
            case "byte":
                text = text[:at] + bytes([draw(st.integers(0, 255))]) + text[at + 1 :]
            case _:
                text = text[:at]
    return text


@st.composite
def options(draw: st.DrawFn) -> list[str]:
    """Overrides; more often none, because most are refused."""
    paths = st.lists(st.sampled_from(KEYS) | st.sampled_from(TEXT), min_size=1, max_size=4).map(".".join)
    texts = values.map(lambda value: written(value, ascii_only=True))
    one = st.one_of(st.builds("{}={}".format, paths, texts), st.sampled_from(TEXT), st.text(max_size=20))
    return draw(st.lists(one, min_size=1, max_size=3)) if draw(st.integers(0, 3)) == 0 else []


trees = mutated().map(lambda text: text.encode(errors="surrogatepass"))
specs = st.one_of(trees, trees, garbled())
