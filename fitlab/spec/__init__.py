"""Specs: YAML to a frozen, validated Spec, with the line of everything that is wrong."""

from fitlab.spec.grammar import schema, takes
from fitlab.spec.model import Spec
from fitlab.spec.models import Sections
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
