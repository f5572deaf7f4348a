"""What names of metrics say, as people give them."""

from __future__ import annotations

from fitlab.metrics import is_score, words


def test_words_of_names() -> None:
    assert words("train/log_loss") == words("trainLogLoss") == words("Train-Log-Loss") == ["train", "log", "loss"]


def test_more_of_a_score_is_better_and_less_of_a_loss() -> None:
    scores = "accuracy/val val_acc valAccuracy f1 val_f1_score r2/test roc_auc top5 neg_log_loss mean_test_score"
    losses = "loss/val val_loss mse rmse log_loss brier_score error_rate accuracy_loss perplexity gap/loss facet"
    assert [name for name in scores.split() if not is_score(name)] == []
    assert [name for name in losses.split() if is_score(name)] == []
