"""Specs: YAML to a frozen, validated Spec, with the line of everything that is wrong."""

from fitlab.spec.grammar import schema, takes
from fitlab.spec.model import Sections, Spec
from fitlab.spec.parse import Document, base_sections, domain_of, put, read_spec, sections, without

__all__ = [
    "Document",
    "Sections",
    "Spec",
    "base_sections",
    "domain_of",
    "put",
    "read_spec",
    "schema",
    "sections",
    "takes",
    "without",
]
