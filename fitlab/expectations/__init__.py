"""What a sweep was expected to show, checked against what it shows."""

from fitlab.claims import Checked, State
from fitlab.expectations.check import checked, table
from fitlab.expectations.words import each_claim, in_three_sentences

__all__ = ["Checked", "State", "checked", "each_claim", "in_three_sentences", "table"]
