"""CSV and Parquet files from anybody, and names that are paths: a clear error or a table, and nothing is written."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conftest import PROVE
from fuzz.damage import bits, cut, grown, zeros
from fuzz.watched import fitlab, well_ended

CASES = 500 if PROVE else 50
ROWS = 40
CELLS = [
    b"", b"1", b"-0", b"1e999", b"nan", b"inf", b"NA", b'"', b'""', b'"a,b"', b"a\nb", b"\r", b"\x00", b"\xff",
    b"\xef\xbb\xbf", b"=cmd|' /C calc'!A0", b"2026-13-45", b"0x10", b"1_000", b"9" * 400, b"x" * 10_000, b"\t", b";",
    "\u202e".encode(),
]  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def warm(tmp_path_factory: pytest.TempPathFactory) -> None:
    """What is imported and compiled once is no deed of the input."""
    folder = tmp_path_factory.mktemp("warm")
    training = {"epochs": 2, "batch_size": 16}
    spec = {"name": "w", "data": {"kind": "iris"}, "model": {"kind": "mlp"}, "training": training, "seeds": 1}
    (folder / "w.yaml").write_text(json.dumps(spec))
    for words in (["sweep", folder / "w.yaml", "--jobs", 1], ["status", "w"], ["diagnose", "w"], ["weights", "w"]):
        fitlab(*words, "--store", folder / "store", limit=600)


def table(rng: np.random.Generator) -> pd.DataFrame:
    frame = pd.DataFrame({"a": rng.normal(size=ROWS), "b": rng.normal(size=ROWS), "y": np.arange(ROWS) % 2})
    return frame.assign(text=rng.choice(["u", "v"], ROWS), when=pd.date_range("2026-01-01", periods=ROWS))


def csv(path: Path, rng: np.random.Generator) -> None:
    """Fields are replaced, lines cut, doubled or joined, bits flipped."""
    lines = [line.split(b",") for line in table(rng).to_csv(index=False).encode().splitlines()]
    for _ in range(rng.integers(0, 4)):
        line = lines[rng.integers(0, len(lines))]
        line[rng.integers(0, len(line))] = CELLS[rng.integers(len(CELLS))]
    for _ in range(rng.integers(0, 2)):
        line = lines[rng.integers(0, len(lines))]
        line.extend(line[: rng.integers(0, 4)]) if rng.random() < 0.5 else line.pop()
    path.write_bytes([b"\n", b"\r\n", b"\r"][rng.integers(3)].join(b",".join(line) for line in lines))


def parquet(path: Path, rng: np.random.Generator) -> None:
    frame = table(rng)
    if rng.random() < 0.3:
        frame["y"] = [[1, 2], {"k": 1}, b"\xff", None] * (ROWS // 4) if rng.random() < 0.5 else None
    if "y" in frame and frame["y"].map(type).nunique() > 1:
        frame["y"] = frame["y"].map(repr)
    frame.to_parquet(path)


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_table_from_anybody_is_taken_or_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, count: Callable[[str], None], kind: str
) -> None:
    monkeypatch.chdir(tmp_path)
    path, seen = Path(f"t.{kind}"), Counter[str]()
    data = {"kind": kind, "path": str(path), "target": "y", "features": ["a", "b", "text"], "missing": "median"}
    Path("spec.yaml").write_text(
        json.dumps({"name": "t", "data": data, "model": {"kind": "mlp"}, "training": {"batch_size": 8}, "seeds": 1})
    )
    for warm_up in (True, False):
        for seed in range(1 if warm_up else CASES):
            rng = np.random.default_rng(seed)
            {"csv": csv, "parquet": parquet}[kind](path, rng)
            if not warm_up and rng.random() < 0.5:
                [bits, cut, zeros, grown][rng.integers(4)](path, rng, path)
            said = fitlab("check", "spec.yaml")
            if not warm_up:
                well_ended(said, (0, 2))
                seen[str(said.code)] += 1
    count(f"{CASES} {kind} files, seeds 0 to {CASES - 1}: {dict(seen)}")
    assert len(seen) == 2
    assert sorted(one.name for one in tmp_path.iterdir()) == ["spec.yaml", path.name]


@pytest.mark.parametrize("word", [b'"name"', b'"columns"', b'"index_columns"', b'"pandas_version"'])
def test_metadata_of_pandas_that_once_failed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, word: bytes) -> None:
    """A key of the JSON that pandas keeps in a Parquet file is another one."""
    monkeypatch.chdir(tmp_path)
    sound = pa.Table.from_pandas(table(np.random.default_rng(0)).set_index("a"))
    noted = sound.schema.metadata[b"pandas"].replace(word, word[:1] + b"N" + word[2:])
    pq.write_table(sound.replace_schema_metadata({b"pandas": noted}), "t.parquet")
    data = {"kind": "parquet", "path": "t.parquet", "target": "y", "features": ["b"]}
    training = {"batch_size": 8}
    spec = {"name": "t", "data": data, "model": {"kind": "mlp"}, "training": training, "seeds": 1}
    Path("spec.yaml").write_text(json.dumps(spec))
    well_ended(fitlab("check", "spec.yaml"), (0, 2))


NAMES = [
    "../../x", "/x", "a/b", "..", ".", "a\0b", "a\nb", "x" * 300, "x" * 100_000, "-rf", ".hidden", "a b", "CON", "é",
    "~", "a%b", "a?b", "a#b", "'; DROP TABLE runs", "<b>", "[bold]", "\u202e", "a\\b", " ", "",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES, ids=lambda name: ascii(name)[:20])
def test_a_name_leads_nowhere_else(tiny: dict, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Of a spec, and of a sweep that is asked for."""
    (tmp_path / "deep" / "er").mkdir(parents=True)
    scratch = tmp_path.with_name(f"{tmp_path.name}_scratch")
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    monkeypatch.chdir(tmp_path / "deep" / "er")
    Path("spec.yaml").write_text(json.dumps({**tiny, "name": name, "seeds": 1}))
    store = Path("store").absolute()
    said = fitlab("sweep", "spec.yaml", "--store", store, "--jobs", 1, "--no-publish")
    well_ended(said, (0, 2), store)
    for words in (["status", name], ["diagnose", name], ["weights", name], ["publish", name]):
        asked = fitlab(*words[:1], "--store", store, "--", *words[1:])
        well_ended(asked, (0, 2, 3, 4), store, scratch)
        assert said.code == 0 or asked.code in (2, 3) or words[0] == "status"
    assert sorted(path.name for path in tmp_path.rglob("*") if store not in (path, *path.parents)) == [
        "deep",
        "er",
        "spec.yaml",
    ]


def test_a_store_may_be_a_link_and_a_part_of_it_may_not(tiny: dict, tmp_path: Path) -> None:
    (tmp_path / "spec.yaml").write_text(json.dumps(tiny))
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    words = ("sweep", tmp_path / "spec.yaml", "--jobs", 1, "--no-publish", "--store")
    well_ended(fitlab(*words, tmp_path / "link"), (0,), tmp_path / "real")
    shutil.move(tmp_path / "real" / "fits", tmp_path / "elsewhere")
    (tmp_path / "real" / "fits").symlink_to(tmp_path / "elsewhere")
    before = sorted(path.name for path in (tmp_path / "elsewhere").iterdir())
    said = fitlab(*words, tmp_path / "real")
    well_ended(said, (3,), tmp_path / "real")
    assert "leads out of the store" in said.err
    assert sorted(path.name for path in (tmp_path / "elsewhere").iterdir()) == before
