"""OpenML by scikit-learn's own code, from a cache laid out of the responses that its wheel ships; and without one."""

from __future__ import annotations

import re
import shutil
import socket
from pathlib import Path

import numpy as np
import pytest
import sklearn.datasets

from fitlab import data
from fitlab.errors import SpecError
from fitlab.spec import read_spec

SHIPPED = Path(sklearn.datasets.__file__).parent / "tests" / "data" / "openml"
API = "api/v1/json/data"
NAMES = [  # of a shipped response -> of the URL that it answers
    (r"api-v1-jd-(\d+).json.gz", rf"{API}/\1.gz"),
    (r"api-v1-jdf-(\d+).json.gz", rf"{API}/features/\1.gz"),
    (r"api-v1-jdq-(\d+).json.gz", rf"{API}/qualities/\1.gz"),
    (r"api-v1-jdl-dn-(.+)-l-2-dv-(\d+).json.gz", rf"{API}/list/data_name/\1/limit/2/data_version/\2.gz"),
    (r"api-v1-jdl-dn-(.+)-l-2-s-act-.json.gz", rf"{API}/list/data_name/\1/limit/2/status/active/.gz"),
    (r"data-v1-dl-(\d+).arff.gz", r"data/v1/download/\1/NAME.arff.gz"),
]


def section(**options: object):
    return read_spec({"name": "x", "data": {"kind": "openml", **options}, "model": {"kind": "mlp"}}).spec.data


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty data home, and no network behind it."""

    def nowhere(*_: object) -> None:
        raise socket.gaierror("no network in tests")

    monkeypatch.setenv("SCIKIT_LEARN_DATA", str(tmp_path))
    monkeypatch.setattr(socket, "getaddrinfo", nowhere)
    monkeypatch.setattr("sklearn.datasets._openml.time.sleep", lambda _: None)  # between two tries
    return tmp_path


def lay(home: Path, data_id: int, name: str) -> None:
    """Put what OpenML would answer where scikit-learn keeps it."""
    for file in (SHIPPED / f"id_{data_id}").glob("*.gz"):
        for pattern, path in NAMES:
            if re.fullmatch(pattern, file.name):
                kept = home / "openml" / "openml.org" / re.sub(pattern, path, file.name).replace("NAME", name)
                kept.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(file, kept)


def test_a_data_set_is_had_by_name_and_by_number(home: Path) -> None:
    lay(home, 61, "iris")
    by_id, by_name = data.load(section(data_id=61)), data.load(section(name="iris", version=1))
    assert by_id.X.shape == (150, 4)
    assert by_id.task == "classification"
    assert by_id.classes.tolist() == ["Iris-setosa", "Iris-versicolor", "Iris-virginica"]
    assert by_id.fingerprint == by_name.fingerprint == data.load(section(name="iris")).fingerprint
    assert by_id.features == ("sepallength", "sepalwidth", "petallength", "petalwidth")
    width = data.load(section(data_id=61, target="sepalwidth"))
    assert width.task == "regression"
    assert "class=Iris-setosa" in width.features


def test_nominal_columns_and_gaps_go_the_way_of_every_table(home: Path) -> None:
    lay(home, 42585, "penguins")
    with pytest.raises(SpecError, match="missing values"):
        data.load(section(data_id=42585))
    wanted = section(data_id=42585, missing="median")
    penguins = data.load(wanted)
    assert "sex is missing" in penguins.features
    assert np.isnan(penguins.X).any()
    assert np.isfinite(data.split(penguins, wanted, 0).X_train).all()


@pytest.mark.parametrize(
    ("data_id", "name", "options", "says"),
    [
        (61, "iris", {"target": "klass"}, "did you mean class"),
        (42074, "wine_reviews", {}, "no one default target"),
        (292, "Australian", {}, "not to be had from OpenML: .*[Ss]parse"),
    ],
)
def test_what_cannot_be_used_is_said(home: Path, data_id: int, name: str, options: dict, says: str) -> None:
    lay(home, data_id, name)
    with pytest.raises(SpecError, match=says):
        data.load(section(data_id=data_id, **options))


@pytest.mark.parametrize("options", [{"data_id": 61}, {"name": "iris"}, {"name": "no such/thing"}])
def test_without_network_the_message_says_so_and_where_it_would_be_kept(home: Path, options: dict) -> None:
    with pytest.raises(SpecError) as caught:
        data.load(section(**options))
    (problem,) = caught.value.problems
    assert "cannot be fetched" in problem.message
    assert str(home) in str(problem.hint)
