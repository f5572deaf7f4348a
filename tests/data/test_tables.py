"""Tables: what a column becomes, what is refused before anything is trained, and files that change."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.impute import SimpleImputer
from sklearn.preprocessing import OneHotEncoder

import fitlab
from fitlab import data
from fitlab.data import frames, sources
from fitlab.errors import SpecError
from fitlab.runner.plan import read_plan
from fitlab.runner.workers import Bench
from fitlab.spec import read_spec

N = 40
CLEAN = pd.DataFrame(
    {
        "age": np.arange(N) % 17 + 20,
        "income": np.linspace(1, 9, N).round(3),
        "colour": ["red", "green", "blue", "green"] * (N // 4),
        "smoker": np.arange(N) % 3 == 0,
        "clinic": [f"c{i % 8}" for i in range(N)],
        "visit": pd.date_range("2026-01-01", periods=N).strftime("%Y-%m-%d"),
        "outcome": ["ill", "well"] * (N // 2),
    }
)
FEATURES = ["age", "income", "colour", "smoker"]


def spec(**options: object) -> dict:
    given = {"kind": "csv", "path": "t.csv", "target": "outcome", "features": FEATURES, **options}
    return {"name": "t", "data": given, "model": {"kind": "mlp"}, "training": {"batch_size": 4, "epochs": 2}}


def section(**options: object):
    return read_spec(spec(**options)).spec.data


def write(folder: Path, frame: pd.DataFrame = CLEAN, name: str = "t.csv") -> Path:
    frame.to_csv(folder / name, index=False)
    return folder / name


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Paths in a spec start in the current folder."""
    monkeypatch.chdir(tmp_path)
    write(tmp_path)


def test_categories_are_encoded_as_scikit_learn_does_and_keep_their_names() -> None:
    made = data.load(section())
    encoder = OneHotEncoder(sparse_output=False).fit(CLEAN[["colour"]])
    assert made.features[2:] == ("colour=blue", "colour=green", "colour=red", "smoker=False", "smoker=True")
    assert (made.X[:, 2:5] == encoder.transform(CLEAN[["colour"]])).all()
    assert (made.X[:, :2] == CLEAN[["age", "income"]].to_numpy()).all()
    assert made.classes.tolist() == ["ill", "well"]
    numbers = data.load(section(categorical=["age"], features=["age"]))
    assert numbers.features == tuple(f"age={age}" for age in range(20, 37))


def test_weights_of_rows_are_no_feature_and_go_with_their_rows(tmp_path: Path) -> None:
    frame = CLEAN.drop(columns=["visit", "clinic"]).assign(w=np.linspace(0.5, 2, N))
    write(tmp_path, frame)
    made = data.load(section(sample_weight="w", features="all"))
    assert not any("w" in name.split("=")[0].split() for name in made.features)
    assert made.fingerprint != data.load(section(sample_weight="income", features=["age"])).fingerprint
    split = data.split(made, section(sample_weight="w", features="all"), 7)
    assert all((split.weights[part] == frame["w"].to_numpy()[rows]).all() for part, rows in split.rows.items())
    assert data.split(data.load(section()), section(), 7).weights == {}


def test_csv_and_parquet_hold_the_same_data() -> None:
    CLEAN.to_parquet("t.parquet")
    CLEAN.to_csv("semi.csv", index=False, sep=";")
    one = data.load(section())
    assert data.load(section(kind="parquet", path="t.parquet")).fingerprint == one.fingerprint
    assert data.load(section(path="semi.csv", separator=";")).fingerprint == one.fingerprint
    CLEAN.to_csv("comma.csv", index=False, sep=";", decimal=",")
    assert data.load(section(path="comma.csv", separator=";", decimal=",")).fingerprint == one.fingerprint


def test_what_parquet_says_of_a_column_is_believed() -> None:
    days = pd.Series(pd.date_range("2026-01-01", periods=N, tz="Europe/Berlin"))
    frame = CLEAN.assign(
        code=["1", "2"] * (N // 2),  # text, whatever it looks like
        price=[Decimal("1.5"), Decimal(2)] * (N // 2),
        visit=days,
        day=days.dt.date,
        maybe=pd.array([True, None] * (N // 2), dtype="boolean"),
        count=pd.array([1, None] * (N // 2), dtype="Int64"),
    )
    frame.to_parquet("t.parquet")
    wanted = {"kind": "parquet", "path": "t.parquet", "missing": "mean", "constant": "keep", "split": {"kind": "time"}}
    made = data.load(section(**wanted, time="visit", features=["code", "price", "maybe", "count"]))
    assert made.features == ("code=1", "code=2", "price", "maybe=True", "maybe is missing", "count")
    assert np.isnan(made.X[:, -1]).sum() == N // 2
    assert (np.diff(made.times) == 24 * 3600 * 1_000_000).all()
    by_day = data.load(section(**wanted, time="day", features=["price"]))
    assert by_day.times[0] == 1e6 * pd.Timestamp("2026-01-01").timestamp()
    with pytest.raises(SpecError, match="dates: neither"):
        data.load(section(**wanted, time="visit", features=["day"]))


def test_the_task_is_told_from_the_target() -> None:
    assert data.load(section()).task == "classification"
    assert data.load(section(target="income", features=["age"])).task == "regression"
    assert data.load(section(target="age", features=["income"], task="regression")).task == "regression"
    assert data.load(section(target="smoker", features=["age"])).classes.tolist() == ["False", "True"]
    assert data.load(section(target="age", features=["income"])).classes.tolist() == list(range(20, 37))


@pytest.mark.parametrize("strategy", ["mean", "median", "most_frequent"])
def test_gaps_are_filled_with_what_the_training_part_says(tmp_path: Path, strategy: str) -> None:
    frame = CLEAN.astype({"age": float})
    frame.loc[::5, "age"] = np.nan
    frame.loc[::7, "colour"] = None
    write(tmp_path, frame)
    wanted = section(missing=strategy, scaling="none")
    dataset = data.load(wanted)
    assert "colour is missing" in dataset.features
    made = data.split(dataset, wanted, 3)
    imputer = SimpleImputer(strategy=strategy).fit(dataset.X[made.rows["train"]])
    assert (made.X_test == imputer.transform(dataset.X[made.rows["test"]])).all()
    scaled = data.split(dataset, section(missing=strategy), 3)
    np.testing.assert_allclose(scaled.X_train.mean(axis=0), 0, atol=1e-12)


def damaged(**changes: object) -> pd.DataFrame:
    frame = CLEAN.astype(object)
    for column, value in changes.items():
        frame.loc[7, column] = value
    return frame


@pytest.mark.parametrize(
    ("frame", "options", "says"),
    [
        (CLEAN, {"target": "outcom"}, ["data.target: no such column", "did you mean outcome?"]),
        (CLEAN, {"features": ["age", "incme"]}, ["data.features: no such column", "did you mean income?"]),
        (CLEAN, {"features": ["age", "outcome"]}, ["data.features: the target is among the features"]),
        (CLEAN, {"features": "all"}, ["data.features: dates", "visit (2026-01-01)", "time: COLUMN"]),
        (CLEAN, {"categorical": ["colr"]}, ["data.categorical: no such column"]),
        (damaged(age="old"), {}, ["numbers and text in one column", "39 of 40 values", "data row 8 holds 'old'"]),
        (CLEAN.assign(income="1,5"), {}, ["data.decimal: numbers with a decimal comma", "income (1,5)"]),
        (CLEAN.assign(income="1,500"), {}, ["commas between thousands", "income (1,500)", "take the commas out"]),
        (damaged(age="NA"), {}, ["numbers and text in one column", "holds 'NA'", "na_values: [NA]"]),
        (damaged(age="NA"), {"na_values": ["NA"]}, ["data.missing: missing values", "in data row 8"]),
        (CLEAN.assign(age=2**60 + np.arange(N)), {}, ["whole numbers above 2^53", "age (up to 1.153e+18)"]),
        (CLEAN.assign(outcome=2.5), {"task": "regression"}, ["data.target: the same value in every row"]),
        (damaged(age=np.inf), {}, ["infinite values", "age (1 of 40)"]),
        (damaged(age=None), {}, ["data.missing: missing values", "age (1 of 40, the first in data row 8)", "median"]),
        (damaged(outcome=None), {}, ["data.target: missing target values", "1 of 40, the first in data row 8"]),
        (CLEAN.assign(age=1), {}, ["data.constant: the same value in every row", "age (1", "constant: keep"]),
        (CLEAN.assign(colour=[f"x{i}" for i in range(N)]), {}, ["too many different values", "40 different values"]),
        (CLEAN.assign(outcome=range(N)), {}, ["data.target: more classes than rows", "40 classes", "regression"]),
        (CLEAN.assign(outcome="ill"), {}, ["only one class"]),
        (CLEAN, {"task": "regression"}, ["data.task: a regression needs a target of numbers", "'ill'"]),
        (CLEAN, {"target": "visit"}, ["data.target: dates"]),
        (CLEAN.iloc[:0], {}, ["data.path: a table without rows"]),
        (damaged(clinic=None), {"group": "clinic", "split": {"kind": "group"}}, ["data.group: missing values"]),
        (CLEAN, {"sample_weight": "incom"}, ["data.sample_weight: no such column", "mean income?"]),
        (CLEAN, {"sample_weight": "outcome"}, ["data.sample_weight: this column is the target"]),
        (CLEAN, {"sample_weight": "income"}, ["data.features: the weight of rows is among the features"]),
        (CLEAN, {"sample_weight": "clinic"}, ["data.sample_weight: not numbers", "clinic holds 'c0'"]),
        (damaged(clinic=None), {"sample_weight": "clinic"}, ["data.sample_weight: missing values"]),
        (
            CLEAN.assign(w=np.arange(N) - 1.0),
            {"sample_weight": "w"},
            ["data.sample_weight: weights that are not positive", "w: 2 of 40, the first in data row 1"],
        ),
        (CLEAN, {"group": "klinic", "split": {"kind": "group"}}, ["data.group: no such column", "mean clinic?"]),
        (CLEAN, {"time": "colour", "split": {"kind": "time"}}, ["data.time: neither numbers nor dates", "'red'"]),
    ],
)
def test_what_cannot_be_learned_from_is_refused(tmp_path: Path, frame: pd.DataFrame, options: dict, says: list) -> None:
    write(tmp_path, frame)
    with pytest.raises(SpecError) as caught:
        data.load(section(**options))
    for words in says:
        assert words in str(caught.value), str(caught.value)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "an empty file"),
        (b"\n", "an empty file"),
        (b"a,a,outcome\n1,2,3\n", "column names that stand there twice"),
        (b",a,outcome\n0,1,2\n1,3,4\n", "a column without a name"),
        (b"a,outcome\n1,2\n1,2,3\n", "not a table: Expected 2 fields in line 3, saw 3"),
        (b"a,outcome\n1,2,3\n1,2,3\n", "more fields than the header"),
        (b"a,outcome\n\xfc,2\n", "not UTF-8 text"),
        (b"a;outcome\n1;2\n", "did you mean separator: ';'"),
    ],
)
def test_a_file_that_is_no_table_is_refused(content: bytes, says: str) -> None:
    Path("t.csv").write_bytes(content)
    with pytest.raises(SpecError, match=says):
        data.load(section(features="all"))


def test_a_missing_file_is_named_with_its_folder_and_its_neighbour(tmp_path: Path) -> None:
    (tmp_path / "spec.yaml").write_text("name: t\ndata: {kind: csv, path: tt.csv, target: y}\nmodel: {kind: mlp}\n")
    with pytest.raises(SpecError) as caught:
        read_plan(tmp_path / "spec.yaml")
    for words in ("spec.yaml:2:19 data.path", str(tmp_path / "tt.csv"), "did you mean t.csv?"):
        assert words in str(caught.value)
    with pytest.raises(SpecError, match="it is a folder"):
        data.load(section(path="."))
    with pytest.raises(SpecError, match="not a Parquet file"):
        data.load(section(kind="parquet"))


@pytest.mark.parametrize("path", ["a" * 5000, "~nosuchuser/t.csv", "/dev/null", "a\0b"], ids=["long", "~", "null", "0"])
def test_a_path_that_can_be_none_is_refused(path: str) -> None:
    with pytest.raises(SpecError, match=r"data\.path: no") as caught:
        data.load(section(path=path))
    assert "did you mean" not in str(caught.value)


def test_only_an_empty_field_and_named_words_are_missing(tmp_path: Path) -> None:
    words = ["NA", "None", "null", "brick", "red", "wood", "tin", "nan"]
    write(tmp_path, CLEAN.assign(colour=words * (N // 8), outcome=["None", "some"] * (N // 2)))
    made = data.load(section(features=["colour"]))
    assert made.features == tuple(f"colour={word}" for word in sorted(words))
    assert made.classes.tolist() == ["None", "some"]
    named = data.load(section(features=["colour"], na_values=["NA", "null"], missing="median"))
    assert named.X[:, -1].sum() == N // 4  # colour is missing


def test_the_text_of_groups_and_categories_is_kept(tmp_path: Path) -> None:
    write(tmp_path, CLEAN.assign(age=["01", "1", "1.0", "2"] * (N // 4)))
    assert data.load(section(categorical=["age"], features=["age"])).features == ("age=01", "age=1", "age=1.0", "age=2")
    assert data.load(section(categorical=["age"], target="age", features=["income"])).classes.tolist()[:2] == [
        "01",
        "1",
    ]
    grouped = data.load(section(group="age", split={"kind": "group"}, features=["income"]))
    assert len(set(grouped.groups)) == 4


def test_a_named_index_of_a_parquet_file_is_a_column() -> None:
    CLEAN.set_index("visit").to_parquet("t.parquet")
    wanted = section(kind="parquet", path="t.parquet", features=["age"], time="visit", split={"kind": "time"})
    assert len(data.load(wanted).times) == N
    CLEAN.set_index(CLEAN["age"]).to_parquet("t.parquet")
    with pytest.raises(SpecError, match="an index with the name of a column"):
        data.load(wanted)


def test_large_whole_numbers_are_told_apart_as_labels(tmp_path: Path) -> None:
    write(tmp_path, CLEAN.assign(outcome=[2**53, 2**53 + 1] * (N // 2)))
    assert data.load(section()).classes.tolist() == [2**53, 2**53 + 1]


def test_a_file_that_lies_beside_the_spec_is_pointed_at(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "spec.yaml").write_text(
        "name: t\ndata: {kind: csv, path: u.csv, target: y}\nmodel: {kind: mlp}\n"
    )
    write(tmp_path / "sub", name="u.csv")
    with pytest.raises(SpecError, match=r"beside the spec: path: sub/u\.csv"):
        read_plan("sub/spec.yaml")


def test_all_that_is_wrong_with_a_table_is_told_at_once(tmp_path: Path) -> None:
    write(tmp_path, damaged(age="old", income=np.inf, outcome=None).assign(one=1))
    with pytest.raises(SpecError) as caught:
        data.load(section(features=[*FEATURES, "one", "visit"]))
    assert [p.path[-1] for p in caught.value.problems] == ["features"] * 3 + ["constant", "target"]


LEAKS = [
    ({"sample_weight": ""}, "data.sample_weight", "not allowed"),
    ({"group": "clinic"}, "data.group", "rows of one group would stand in training and test"),
    ({"time": "visit"}, "data.time", "the future would train"),
    ({"time": "visit", "group": "clinic", "split": {"kind": "group"}}, "data.time", "split.kind is group"),
    ({"time": "visit", "group": "clinic", "split": {"kind": "time"}}, "data.group", "split.kind is time"),
    ({"split": {"kind": "group"}}, "data.group", "missing key"),
    ({"split": {"kind": "time"}}, "data.time", "missing key"),
    ({"group": "clinic", "split": {"kind": "group"}, "stratify": True}, "data.stratify", "cannot keep class shares"),
    ({"kind": "digits", "split": {"kind": "time"}}, "data.split", "has no time column"),
    ({"split": "time"}, "data.split", "{kind: time}?"),
    ({"features": ["age", "age"]}, "data.features", "the same value twice"),
    ({"target": 5}, "data.target", '"5"?'),
    ({"separator": ";;"}, "data.separator", "one character"),
    ({"separator": "§"}, "data.separator", "one ASCII character"),
    ({"separator": "\n"}, "data.separator", "it cannot separate"),
    ({"na_values": ["NA", "NA"]}, "data.na_values", "the same value twice"),
    ({"separator": ",", "decimal": ","}, "data.decimal", "it separates fields already"),
    ({"kind": "openml", "path": ...}, "data.data_id", "a name instead"),
    ({"kind": "openml", "path": ..., "name": "iris", "data_id": 61}, "data.data_id", "named twice"),
]


@pytest.mark.parametrize(("options", "key", "says"), LEAKS)
def test_leakage_and_what_does_not_go_together_is_refused_by_the_grammar(options: dict, key: str, says: str) -> None:
    given = {name: value for name, value in spec(**options)["data"].items() if value is not ...}
    if given["kind"] == "digits":
        given = {"kind": "digits", "split": given["split"]}
    with pytest.raises(SpecError) as caught:
        read_spec({**spec(), "data": given})
    (problem,) = caught.value.problems
    assert ".".join(problem.path) == key
    assert says in str(problem)


def test_a_changed_file_is_another_data_set(tmp_path: Path) -> None:
    before = read_plan(spec()).jobs
    kept = fitlab.split(before[0])
    write(tmp_path, CLEAN.assign(visit="later"))  # no feature: what is learned from is the same
    assert [job.digest for job in read_plan(spec()).jobs] == [job.digest for job in before]
    assert (fitlab.split(before[0]).X_test == kept.X_test).all()
    write(tmp_path, CLEAN.assign(age=CLEAN.age + 1))
    assert not {job.digest for job in read_plan(spec()).jobs} & {job.digest for job in before}
    with pytest.raises(SpecError, match="not the data of the job"):
        fitlab.split(before[0])


def test_columns_gaps_and_files_can_be_swept(tmp_path: Path) -> None:
    write(tmp_path, CLEAN.assign(age=2 * CLEAN.age), "other.csv")
    swept = {
        "data.features": {"values": [["age"], ["age", "colour"]]},
        "data.path": {"values": ["t.csv", "other.csv"]},
        "data.train_size": {"values": [8, 16]},
        "data.label_noise": {"values": [0, 0.2]},
        "data.scaling": {"values": ["standard", "none"]},
    }
    made = read_plan({**spec(), "seeds": 1, "sweep": {"parameters": swept}})
    assert len({job.digest for job in made.jobs}) == len(made.jobs) == 2**5
    assert len({job.fingerprint for job in made.jobs}) == 4
    broken = {**spec(), "sweep": {"parameters": {"data.features": {"values": [["age"], ["agge"]]}}}}
    with pytest.raises(SpecError, match=r"data.features: no such column"):
        read_plan(broken)


def test_a_file_is_read_once_however_it_is_dealt(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[object] = []
    monkeypatch.setattr(sources, "read_frame", lambda section: read.append(section) or frames.read_frame(section))
    swept = {"data.train_size": {"values": [5, 9, 16]}, "data.label_noise": {"values": [0, 0.1]}}
    jobs = read_plan({**spec(), "sweep": {"parameters": swept}}).jobs
    assert len(read) == 1
    bench = Bench()
    assert {len(bench.split(job).y_train) for job in jobs} == {5, 9, 16}
    assert len(read) == 2


def test_a_table_is_trained_on_in_worker_processes_too(tmp_path: Path) -> None:
    one, two = (fitlab.run(spec(), store=tmp_path / str(jobs), jobs=jobs, publish=False) for jobs in (1, 2))
    assert [fit.content_digest for fit in one.fits] == [fit.content_digest for fit in two.fits]
    assert {str(fit.outcome) for fit in one.fits} == {"completed"}


@given(st.lists(st.sampled_from(["", "1", "2.5", "x", "yes", "nan", "inf", "2026-01-01", '"', "é", "1,2"]), min_size=1))
def test_no_table_crashes_the_reader(tmp_path: Path, cells: list[str]) -> None:
    lines = ["a,outcome", *(f"{cell},{i % 2}" for i, cell in enumerate(cells))]
    (tmp_path / "t.csv").write_text("\n".join(lines), encoding="utf-8")
    wanted = section(features="all", missing="median")
    try:
        dataset = data.load(wanted)
    except SpecError:
        return
    if not data.problems(dataset, wanted):
        assert np.isfinite(data.split(dataset, wanted, 0).X_train).all()
