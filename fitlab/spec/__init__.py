"""Specs: YAML to a frozen, validated Spec, with the line of everything that is wrong."""

from fitlab.spec.grammar import schema, takes
from fitlab.spec.model import Spec
from fitlab.spec.models import MODEL, Sections
from fitlab.spec.parse import Document, alternatives, base_sections, domain_of, read_spec, without
from fitlab.spec.swept import put
from fitlab.spec.validate import sections

__all__ = [
    "MODEL",
    "Document",
    "Sections",
    "Spec",
    "alternatives",
    "base_sections",
    "domain_of",
    "put",
    "read_spec",
    "schema",
    "sections",
    "takes",
    "without",
]
