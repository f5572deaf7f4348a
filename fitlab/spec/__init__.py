"""Specs: YAML to a frozen, validated Spec, with the line of everything that is wrong."""

from fitlab.spec.grammar import schema
from fitlab.spec.model import Sections, Spec
from fitlab.spec.parse import Document, base_sections, domain_of, put, read_spec, sections

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
]
