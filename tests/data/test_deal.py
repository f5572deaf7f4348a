"""Splits by group and by time: nothing leaks, sizes are exact, smaller is nested in larger."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fitlab import data
from fitlab.data import Dataset
from fitlab.errors import SpecError
from fitlab.records import Split
from fitlab.spec import read_spec


def section(kind: str, **options: object):
    given = {"kind": "csv", "path": "-", "target": "y", kind: "c", "split": {"kind": kind}, **options}
    return read_spec({"name": "x", "data": given, "model": {"kind": "mlp"}}).spec.data


def dataset(codes: list[int], kind: str) -> Dataset:
    """Return a data set whose only feature is the row number."""
    X = np.arange(len(codes), dtype=float)[:, None]
    of_split = np.array(codes, dtype=float) if kind == "time" else np.array([f"g{code}" for code in codes])
    return Dataset("t", "regression", X, X[:, 0], np.empty(0), ("x",), **{f"{kind}s": of_split})


def parts(made: Split) -> list[np.ndarray]:
    return [made.rows[part] for part in ("train", "val", "test")]


codes = st.lists(st.integers(0, 30), min_size=20, max_size=80)
sizes = st.integers(1, 6)
seeds = st.integers(0, 99)


@given(codes, sizes, sizes, seeds)
def test_no_group_stands_in_two_parts(of_rows: list[int], n_val: int, n_test: int, seed: int) -> None:
    wanted, rows = section("group", validation=n_val, test=n_test), dataset(of_rows, "group")
    if data.problems(rows, wanted):
        return  # one group has nearly all rows
    made = data.split(rows, wanted, seed)
    assert [len(part) for part in parts(made)] == [len(made.y_train), n_val, n_test]
    groups = [set(np.array(of_rows)[part]) for part in parts(made)]
    assert sum(map(len, groups)) == len(set.union(*groups))
    other = data.split(rows, wanted, seed + 1)
    assert (other.rows["test"] == made.rows["test"]).all()
    assert len(other.y_train) == len(made.y_train)  # all is the same for every seed
    least = data.split(rows, section("group", validation=n_val, test=n_test, train_size=1), seed)
    assert (least.rows["train"] == made.rows["train"][:1]).all()
    assert (least.rows["val"] == made.rows["val"]).all()


def test_groups_of_one_row_lose_nothing_and_seeds_move_them() -> None:
    rows = dataset(list(range(40)), "group")
    one, other = (data.split(rows, section("group"), seed) for seed in (0, 1))
    assert sorted(np.concatenate(parts(one))) == list(range(40))
    assert set(one.rows["val"]) != set(other.rows["val"])
    moved = data.split(rows, section("group", split_seed=1), 0)
    assert set(moved.rows["test"]) != set(one.rows["test"])


@given(codes, sizes, sizes, seeds)
def test_the_past_trains_and_the_future_tests(of_rows: list[int], n_val: int, n_test: int, seed: int) -> None:
    wanted, rows = section("time", validation=n_val, test=n_test), dataset(of_rows, "time")
    if data.problems(rows, wanted):
        return  # nearly all rows are of one time
    made = data.split(rows, wanted, seed)
    train, val, test = (np.array(of_rows)[part] for part in parts(made))
    assert (len(val), len(test)) == (n_val, n_test)
    assert train.max() < val.min() <= val.max() < test.min()
    assert test.tolist() == sorted(of_rows)[::-1][:n_test]
    few = data.split(rows, section("time", validation=n_val, test=n_test, train_size=1), seed)
    assert few.rows["train"].tolist() == made.rows["train"].tolist()[:1]
    assert max(train) == train[0]


def test_what_groups_and_times_do_not_allow_is_said() -> None:
    two = dataset([0, 1] * 20, "group")
    with pytest.raises(SpecError, match="the largest after the test part has 20 rows"):
        data.split(two, section("group"), 0)
    same = dataset([0] * 20 + [1] * 20, "time")
    with pytest.raises(SpecError, match="as old as the oldest of a later part, leave 0"):
        data.split(same, section("time"), 0)
    tens = dataset([i // 10 for i in range(100)], "group")
    with pytest.raises(SpecError, match="at most 36"):  # 100 - 30 (test) - 25 - 9 (a group that validation may cut)
        data.split(tens, section("group", train_size=60), 0)


def test_groups_and_times_are_part_of_the_fingerprint_where_they_are() -> None:
    made = [dataset([0, 1, 2] * 9, "group"), dataset([0, 1, 3] * 9, "group"), dataset([0, 1, 2] * 9, "time")]
    plain = Dataset("t", "regression", made[0].X, made[0].y, made[0].classes)
    assert len({one.fingerprint for one in (*made, plain)}) == 4
    iris = read_spec({"name": "x", "data": {"kind": "iris"}, "model": {"kind": "mlp"}}).spec.data
    assert data.load(iris).fingerprint.startswith("c541df5bda7718c5")  # stores that are there stay valid
