"""Why something is not evaluated."""

from __future__ import annotations


class NotEvaluatedError(Exception):
    """Why a quantity, or the number it is compared with, cannot be had from this sweep."""
