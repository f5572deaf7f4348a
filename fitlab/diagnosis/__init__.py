"""Overfit, underfit or good: decided from losses alone, with intervals. Pure functions on arrays."""

from fitlab.diagnosis.capacity import CapacityCurve, capacity_curves
from fitlab.diagnosis.checks import examine
from fitlab.diagnosis.decisions import Decision, decide
from fitlab.diagnosis.document import document, schema
from fitlab.diagnosis.evidence import Candidate, Candidates, Rule
from fitlab.diagnosis.selection import TestLosses
from fitlab.diagnosis.sweeps import chosen, diagnose
from fitlab.diagnosis.words import reason

__all__ = [
    "Candidate",
    "Candidates",
    "CapacityCurve",
    "Decision",
    "Rule",
    "TestLosses",
    "capacity_curves",
    "chosen",
    "decide",
    "diagnose",
    "document",
    "examine",
    "reason",
    "schema",
]
