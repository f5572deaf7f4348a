"""What the JSON Schema of the spec says about a key: where it may stand, what it may hold, what was meant."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

from fitlab.errors import Path
from fitlab.spec.base import did_you_mean as did_you_mean  # refusals need it, too, below this module
from fitlab.spec.model import Spec
from fitlab.spec.models import Sections

Schema = dict[str, Any]
OPEN_KEY = r"^model\.parameters\.[A-Za-z_][A-Za-z0-9_-]*$"  # of an estimator: it alone knows which it has
SCHEMA_URL = "https://json-schema.org/draft/2020-12/schema"


@cache
def schema() -> Schema:
    """Return the JSON Schema of a spec file (draft 2020-12), as editors use it."""
    found: Schema = {"$schema": SCHEMA_URL, **Spec.model_json_schema()}
    for method in ("Grid", "Qmc", "Random", "Tpe"):
        swept = found["$defs"][method]["properties"]["parameters"]
        swept["propertyNames"] = {"anyOf": [{"enum": list(sweepable())}, {"pattern": OPEN_KEY}]}
    return found


@cache
def _root() -> Schema:
    return Spec.model_json_schema()


def _alternatives(node: Schema, data: Any) -> Iterator[Schema]:
    """Yield the plain schemas that ``node`` stands for, leaving out those that the tag in ``data`` excludes."""
    if "$ref" in node:
        node = _root()["$defs"][node["$ref"].rsplit("/", 1)[-1]]
    options = node.get("oneOf") or node.get("anyOf")
    if options is None:
        yield node
        return
    found = [plain for option in options for plain in _alternatives(option, data)]
    fitting = [plain for plain in found if _fits(plain, data)]
    yield from fitting or found


def _fits(plain: Schema, data: Any) -> bool:
    """Whether the tags of a mapping (kind, solver, method) allow it to be this alternative."""
    if not isinstance(data, dict) or "properties" not in plain:
        return not isinstance(data, dict)
    for key, field in plain["properties"].items():
        tags = [field["const"]] if "const" in field else field.get("enum", []) if key == "kind" else []
        given = data.get(key, field.get("default"))
        if tags and given is not None and given not in tags:
            return False
    return set(plain.get("required", ())) & {"values", "low", "count"} <= set(data)


def _step(nodes: Iterable[Schema], key: str | int) -> list[Schema]:
    found = []
    for node in nodes:
        if isinstance(key, int):
            found += [node["items"]] if "items" in node else []
        elif key in node.get("properties", {}):
            found.append(node["properties"][key])
        elif isinstance(node.get("additionalProperties"), dict):
            found.append(node["additionalProperties"])
    return found


def nodes_at(path: Path, data: Any = None) -> list[Schema]:
    """Return the plain schemas that allow something at ``path`` of a document ``data``."""
    nodes = list(_alternatives(_root(), data))
    for key in path:
        data = child(data, key)
        nodes = [plain for node in _step(nodes, key) for plain in _alternatives(node, data)]
    return nodes


def child(data: Any, key: str | int) -> Any:
    """Return what stands under ``key`` of a mapping or list, None where nothing does."""
    if isinstance(data, dict):
        return data.get(key)
    return data[key] if isinstance(data, list) and isinstance(key, int) and key < len(data) else None


def keys_at(path: Path, data: Any = None) -> list[str]:
    """Return the keys that a mapping at ``path`` may have (for sweep.parameters: the sweepable ones)."""
    if path == ("sweep", "parameters") or (path[:2] == ("sweep", "parameters") and path[-1:] == ("when",)):
        return list(sweepable())
    return list(dict.fromkeys(key for node in nodes_at(path, data) for key in node.get("properties", {})))


@cache
def sweepable() -> tuple[str, ...]:
    """Return every key path that may be swept: all leaves of data, model and training but ``kind``."""
    found: list[str] = []
    for section in Sections.model_fields:
        found += _leaves((section,), 3)
    return tuple(dict.fromkeys(found))


def can_be_swept(key: str) -> bool:
    """Whether a dotted key may be swept: one of ``sweepable()``, or a parameter of an estimator."""
    return key in sweepable() or re.match(OPEN_KEY, key) is not None


def _leaves(path: Path, depth: int) -> list[str]:
    found = []
    for key in keys_at(path):
        below = (*path, key)
        nodes = nodes_at(below)
        if key != "kind" and any("properties" not in node for node in nodes):
            found.append(".".join(map(str, below)))
        if depth and any("properties" in node for node in nodes):
            found += _leaves(below, depth - 1)
    return found


def allowed(path: Path, data: Any = None) -> str | None:
    """Say in words what may stand at ``path``."""
    words = list(dict.fromkeys(_words(node) for node in nodes_at(path, data)))
    return " or ".join(words) if words else None


def described(path: Path, data: Any = None) -> str | None:
    """Return what the key at ``path`` is for."""
    return next((node["description"] for node in nodes_at(path, data) if "description" in node), None)


def takes(key: str) -> set[str]:
    """Return the JSON types that a sweepable key takes: ``{"integer"}``, ``{"number"}``, ``{"array"}`` …"""
    nodes = nodes_at(tuple(key.split(".")))
    return {node["type"] for node in nodes if "type" in node} or {"integer", "number"}


def choices(path: Path, data: Any = None) -> list[str]:
    """Return the words that may stand at ``path``, where only some may."""
    found = [word for node in nodes_at(path, data) for word in (node.get("const"), *node.get("enum", ()))]
    return [word for word in found if isinstance(word, str)]


def _words(node: Schema) -> str:
    if "const" in node:
        return str(node["const"])
    if "enum" in node:
        return "one of " + ", ".join(map(str, node["enum"]))
    match node.get("type"):
        case "array":
            plural = " or ".join(dict.fromkeys(_words(item) for item in _alternatives(node["items"], None)))
            size = " (at least one)" if node.get("minItems") else ""
            return f"a list{size}, each {plural}"
        case "object" if "properties" in node:
            return "a mapping with keys " + ", ".join(node["properties"])
        case "object":
            return "a mapping"
        case "boolean":
            return "true or false"
        case "integer" | "number" as kind:
            return ("an integer" if kind == "integer" else "a number") + _bounds(node)
        case "string" if "pattern" in node:
            return f"text that matches {node['pattern']}"
        case "string":
            return "one character" if node.get("maxLength") == 1 else "text"
        case "null":
            return "null"
        case _:
            return "any value"


def _bounds(node: Schema) -> str:
    signs = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}
    parts = [f"{sign} {node[key]}" for key, sign in signs.items() if key in node]
    return " " + " and ".join(parts) if parts else ""
