"""Names of metrics, as people give them: their words, and whether more of one is better."""

from __future__ import annotations

import re

_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[0-9]+")
_PART = re.compile(r"[^\W_]+")
SCORES = frozenset({
    "accuracy", "acc", "score", "f1", "auc", "auroc", "ap", "map", "precision", "recall", "r2", "iou", "miou", "dice",
    "bleu", "rouge", "kappa", "mcc", "top1", "top5",
})  # fmt: skip
LESS = frozenset({"loss", "error", "err", "brier", "nll"})  # whatever else a name says, less of these is better


def words(name: str) -> list[str]:
    """Return the words of a name, lower case: ``train/log_loss`` and ``trainLogLoss`` are train, log, loss."""
    return [word.lower() for word in _WORD.findall(name)]


def is_score(name: str) -> bool:
    """Whether more of a metric is better, by its name: ``val_accuracy``, ``f1/val``, ``neg_log_loss``."""
    own = {*words(name)} | {part.lower() for part in _PART.findall(name)}  # f1 is one word here
    return "neg" in own or bool(SCORES & own and not LESS & own)
