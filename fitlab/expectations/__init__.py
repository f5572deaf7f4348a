"""What a sweep was expected to show, checked against what it shows."""

from fitlab.expectations.check import Checked, State, checked, table

__all__ = ["Checked", "State", "checked", "table"]
