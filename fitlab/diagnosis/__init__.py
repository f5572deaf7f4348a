"""Overfit, underfit or good: decided from losses alone, with intervals. Pure functions on arrays."""

from fitlab.diagnosis.checks import examine
from fitlab.diagnosis.decisions import Decision, decide
from fitlab.diagnosis.evidence import Candidate, Candidates, Rule

__all__ = ["Candidate", "Candidates", "Decision", "Rule", "decide", "examine"]
