"""YAML text to plain data, with the place of every key: duplicates, tags and aliases are all reported."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, ReusedAnchorWarning, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.tokens import (
    AliasToken,
    AnchorToken,
    BlockEndToken,
    BlockMappingStartToken,
    BlockSequenceStartToken,
    DirectiveToken,
    FlowMappingEndToken,
    FlowMappingStartToken,
    FlowSequenceEndToken,
    FlowSequenceStartToken,
    TagToken,
)

from fitlab.errors import Path, Problem, SpecError

MAX_DEPTH = 24
MAX_CHARACTERS = 1_000_000
MAX_DIGITS = 400  # of an integer; no sensible spec has more
_OPEN = (BlockMappingStartToken, BlockSequenceStartToken, FlowMappingStartToken, FlowSequenceStartToken)
_CLOSE = (BlockEndToken, FlowMappingEndToken, FlowSequenceEndToken)
_SCALARS = {"null", "bool", "int", "float", "str"}


@dataclass(frozen=True)
class Source:
    """A spec as it was written: its name, its text, plain data, and where each key path stands."""

    name: str
    text: str
    data: Any
    places: Mapping[Path, str] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()  # of the writing: what it says is judged by the parser

    def where(self, path: Path) -> str | None:
        """Return the place of ``path``, or of the nearest key above it."""
        for end in range(len(path), -1, -1):
            if path[:end] in self.places:
                return self.places[path[:end]]
        return self.name or None


def read_yaml(text: str, name: str, place: str | None = None) -> Source:
    """Parse YAML 1.2 text; duplicate keys, tags and the like are kept as problems of the Source.

    ``place`` replaces ``name:line:column`` in error messages (for ``-o`` options).
    Raises SpecError where no data can be had: a syntax error, or an alias (expanding them can explode).
    """
    if len(text) > MAX_CHARACTERS:
        raise SpecError(f"{name}: longer than {MAX_CHARACTERS} characters: not a spec")
    forbidden: list[Problem] = []
    try:
        forbidden = _scan(text, name, place)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ReusedAnchorWarning)  # anchors are refused, here they are not warned of
            node = YAML(pure=True).compose(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        at = place or (f"{name}:{mark.line + 1}:{mark.column + 1}" if mark else name)
        problem = Problem((), f"not YAML: {error.problem or error.context}", where=at)
        raise SpecError([*forbidden, problem]) from None
    except (YAMLError, RecursionError, ValueError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise SpecError([Problem((), f"not YAML: {reason}", where=place or name)]) from None
    if any("alias" in problem.message or "YAML 1.2" in problem.message for problem in forbidden):
        raise SpecError(forbidden)
    if node is None:
        return Source(name, text, None)
    reader = _Reader(name, place)
    data = reader.value(node, ())
    return Source(name, text, data, reader.places, (*forbidden, *reader.problems))


def _scan(text: str, name: str, place: str | None) -> list[Problem]:
    """Report tags, anchors and aliases: they execute, hide or share what a reader of the spec should see.

    Raises SpecError at once where the text is nested too deeply to be read any further.
    """
    forbidden = {
        TagToken: ("YAML tags are not allowed", "leave the tag out"),
        AnchorToken: ("YAML anchors are not allowed", "write the value where it is used"),
        AliasToken: ("YAML aliases are not allowed", "write the value out"),
    }
    problems: list[Problem] = []
    depth = 0
    for token in YAML(pure=True).scan(text):
        mark = token.start_mark
        at = place or f"{name}:{mark.line + 1}:{mark.column + 1}"
        if isinstance(token, DirectiveToken) and token.value != (1, 2):
            problems.append(Problem((), "only YAML 1.2, without directives", hint="leave the % line out", where=at))
        depth += isinstance(token, _OPEN) - isinstance(token, _CLOSE)
        if depth > MAX_DEPTH:
            raise SpecError([*problems, Problem((), f"nested deeper than {MAX_DEPTH} levels", where=at)])
        if type(token) in forbidden:
            message, hint = forbidden[type(token)]
            given = text[mark.index : token.end_mark.index]
            problems.append(Problem((), message, given=given, hint=hint, where=at))
    return problems


class _Reader:
    """Turns nodes into data, collecting places and problems on the way."""

    def __init__(self, name: str, place: str | None) -> None:
        self.name, self.place = name, place
        self.places: dict[Path, str] = {}
        self.problems: list[Problem] = []

    def value(self, node: Node, path: Path) -> Any:
        self.places.setdefault(path, self.at(node))
        match node:
            case MappingNode():
                return self.mapping(node, path)
            case SequenceNode():
                return [self.value(item, (*path, i)) for i, item in enumerate(node.value)]
            case _:
                return self.scalar(node, path)  # compose knows three kinds of nodes

    def mapping(self, node: MappingNode, path: Path) -> dict[str, Any]:
        data: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, ScalarNode):
                self.problem(key_node, path, "a key must be plain text")
                continue
            key = key_node.value
            if key in data:
                first = self.places[(*path, key)]
                self.problem(key_node, (*path, key), "duplicate key", f"it stands at {first} already")
                continue
            self.places[(*path, key)] = self.at(key_node)
            data[key] = self.value(value_node, (*path, key))
        return data

    def scalar(self, node: Node, path: Path) -> Any:
        text, kind = node.value, _kind(node.tag)
        if kind == "null":
            return None
        if kind == "bool":
            return text.lower() == "true"
        try:
            number = self.integer(node, path) if kind == "int" else _float(text) if kind == "float" else None
        except ValueError:
            return self.problem(node, path, "not a number", "put it in quotes if it is text", text)
        if kind == "int":
            return number
        if number is not None:
            if not math.isfinite(number):
                return self.problem(node, path, "a number must be finite", None, text)
            return number
        return text  # dates and other implicit types of older YAML stay text

    def integer(self, node: Node, path: Path) -> Any:
        text = node.value.replace("_", "")
        if len(text) > MAX_DIGITS:
            return self.problem(node, path, f"a number with more than {MAX_DIGITS} digits")
        for prefix, base in (("0x", 16), ("0o", 8), ("0b", 2)):
            if text.lstrip("+-").lower().startswith(prefix):
                return int(text, base)
        return int(text)

    def at(self, node: Node) -> str:
        mark = node.start_mark
        return self.place or f"{self.name}:{mark.line + 1}:{mark.column + 1}"

    def problem(self, node: Node, path: Path, message: str, hint: str | None = None, given: str | None = None) -> None:
        self.problems.append(Problem(path, message, given=given, hint=hint, where=self.at(node)))


def _kind(tag: object) -> str:
    kind = str(tag).rsplit(":", 1)[-1]
    return kind if kind in _SCALARS else "str"


def _float(text: str) -> float:
    text = text.replace("_", "").lower()
    return float(text.replace(".inf", "inf").replace(".nan", "nan"))
