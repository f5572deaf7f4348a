"""What a Split promises: parts are disjoint, the test part stays, smaller is nested in larger, nothing leaks."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fitlab import data
from fitlab.errors import SpecError
from fitlab.records import Split
from fitlab.spec import read_spec

KINDS = ["digits", "breast_cancer", "wine", "iris", "diabetes", "make_moons", "make_regression", "make_blobs"]


def section(**options: object):
    return read_spec({"name": "x", "data": options, "model": {"kind": "mlp"}}).spec.data


def split(seed: int = 0, **options: object) -> Split:
    wanted = section(**{"kind": "wine", **options})
    return data.split(data.load(wanted), wanted, seed)


def refusal(**options: object) -> str:
    with pytest.raises(SpecError) as caught:
        split(**options)
    return str(caught.value)


@pytest.mark.parametrize("kind", KINDS)
def test_parts_are_disjoint_rows_of_the_data_set(kind: str) -> None:
    dataset = data.load(section(kind=kind))
    made = split(kind=kind, scaling="none")
    rows = np.concatenate([made.rows[part] for part in ("train", "val", "test")])
    assert len(set(rows)) == len(rows) == len(dataset.y)
    assert (made.X_val == dataset.X[made.rows["val"]]).all()
    assert (made.y_test == dataset.y[made.rows["test"]]).all()


@given(a=st.integers(0, 2**32 - 1), b=st.integers(0, 2**32 - 1))
def test_the_test_part_does_not_move_with_the_seed_and_the_others_do(a: int, b: int) -> None:
    one, other = split(a, label_noise=0.3), split(b, label_noise=0.3)
    assert (one.rows["test"] == other.rows["test"]).all()
    assert (one.y_test == other.y_test).all()
    assert (a == b) == (one.rows["train"].tolist() == other.rows["train"].tolist())


def test_the_test_part_moves_with_split_seed() -> None:
    assert split(split_seed=0).rows["test"].tolist() != split(split_seed=1).rows["test"].tolist()


@pytest.mark.parametrize("swept", [{"noise": 0.3}, {"noise": 0.3, "label_noise": 0.2}, {"scaling": "minmax"}])
def test_sweeping_how_the_data_are_made_leaves_the_parts_as_they_are(swept: dict) -> None:
    one, other = split(3, kind="make_moons", noise=0.1), split(3, kind="make_moons", **swept)
    for part in ("train", "val", "test"):
        assert one.rows[part].tolist() == other.rows[part].tolist()


@given(small=st.integers(1, 80), large=st.integers(1, 80), seed=st.integers(0, 99))
def test_a_smaller_training_part_is_the_beginning_of_a_larger_one(small: int, large: int, seed: int) -> None:
    small, large = sorted((small, large))
    one, other = split(seed, train_size=small), split(seed, train_size=large)
    assert one.rows["train"].tolist() == other.rows["train"].tolist()[:small]
    assert one.rows["val"].tolist() == other.rows["val"].tolist()


@pytest.mark.parametrize("kind", ["digits", "wine", "iris", "breast_cancer"])
def test_every_part_has_the_classes_in_their_shares(kind: str) -> None:
    dataset = data.load(section(kind=kind))
    shares = np.bincount(dataset.y) / len(dataset.y)
    for part in ("train", "val", "test"):
        made = split(kind=kind, train_size=0.3)
        rows = made.rows[part]
        assert np.abs(np.bincount(dataset.y[rows], minlength=len(shares)) - len(rows) * shares).max() <= 2.5
    assert split(kind=kind, stratify=False).rows["test"].tolist() != split(kind=kind).rows["test"].tolist()


@given(lower=st.floats(0, 1), higher=st.floats(0, 1))
def test_more_label_noise_disturbs_the_same_rows_and_more(lower: float, higher: float) -> None:
    lower, higher = sorted((lower, higher))
    clean, less, more = (split(label_noise=rate).y_train for rate in (0.0, lower, higher))
    assert (more[less != clean] == less[less != clean]).all()


def test_label_noise_has_its_rate_and_its_parts() -> None:
    clean = split(kind="digits")
    noisy = split(kind="digits", label_noise={"rate": 0.5, "parts": ["train"]})
    assert (noisy.y_val == clean.y_val).all()
    assert (noisy.y_test == clean.y_test).all()
    changed = (noisy.y_train != clean.y_train).mean()
    assert abs(changed - 0.5 * 0.9) < 4 * np.sqrt(0.45 * 0.55 / len(clean.y_train))  # a tenth is drawn as it was


@pytest.mark.parametrize("scaling", ["standard", "minmax"])
def test_scaling_sees_the_training_part_alone(scaling: str) -> None:
    made, raw = split(scaling=scaling, kind="wine"), split(scaling="none", kind="wine")
    if scaling == "standard":
        centre, width = raw.X_train.mean(axis=0), raw.X_train.std(axis=0)
    else:
        centre, width = raw.X_train.min(axis=0), np.ptp(raw.X_train, axis=0)
    for part in ("X_train", "X_val", "X_test"):
        np.testing.assert_allclose(getattr(made, part), (getattr(raw, part) - centre) / width, atol=1e-9)


def test_target_scaling_sees_the_training_part_alone() -> None:
    made = split(kind="diabetes", target_scaling="standard")
    raw = split(kind="diabetes")
    centre, width = raw.y_train.mean(), raw.y_train.std()
    np.testing.assert_allclose(made.y_test, (raw.y_test - centre) / width)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"validation": 0.5, "test": 0.5}, "no rows are left for training"),
        ({"train_size": 1000}, "more rows than there are"),
        ({"train_size": 0.001}, "the training part would be empty"),
        ({"validation": 200}, "no rows are left for training"),
        ({"kind": "diabetes", "label_noise": 0.1}, "only class labels can be redrawn"),
        ({"kind": "diabetes", "stratify": True}, "only classes can be stratified"),
        ({"target_scaling": "standard"}, "classes have no scale"),
        ({"kind": "make_classification", "n_features": 2}, "refuses its parameters"),
        ({"kind": "make_blobs", "n_samples": 1}, "only one class"),
    ],
)
def test_what_cannot_be_dealt_is_refused(options: dict, says: str) -> None:
    assert says in refusal(**options)


def test_numbers_that_cannot_be_scaled_are_refused() -> None:
    wanted = section(kind="arrays")
    features = np.random.default_rng(0).normal(size=(20, 2)) * 1e300
    dataset = data.load(wanted, (features, np.arange(20) % 2))
    with pytest.raises(SpecError, match="too large to be scaled"):
        data.split(dataset, wanted, 0)
