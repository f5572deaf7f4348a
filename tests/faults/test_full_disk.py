"""A disk that is full or may not be written: said in words, what is there stays whole, and the same command goes on."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from ruamel.yaml import YAML

import fitlab
from fitlab.records import Fit
from fitlab.sweep import Sweep


def as_it_is(*command: str) -> list[str]:
    return [*command]


def command(folder: Path, *words: object) -> list[str]:
    return [sys.executable, "-m", "fitlab", *map(str, words), "--store", str(folder / "store")]


def call(
    folder: Path, *words: object, before: Callable[..., list[str]] = as_it_is, **options: object
) -> subprocess.CompletedProcess[str]:
    whole = before(*command(folder, *words))
    done = subprocess.run(whole, capture_output=True, text=True, cwd=folder, timeout=600, **options)
    assert "Traceback" not in done.stdout + done.stderr
    assert "a fault of fitlab" not in done.stderr
    return done


def sweep(folder: Path, *words: object, **options: object) -> subprocess.CompletedProcess[str]:
    return call(folder, "sweep", folder / "tiny.yaml", "--jobs", "1", *words, **options)


def no_file_longer_than(size: int) -> dict[str, object]:
    """What a full disk is to a process: writing beyond ``size`` bytes of a file fails."""
    return {"preexec_fn": partial(resource.setrlimit, resource.RLIMIT_FSIZE, (size, size))}


@pytest.fixture
def folder(tiny: dict, tmp_path: Path) -> Path:
    with (tmp_path / "tiny.yaml").open("w") as file:
        YAML().dump(tiny, file)
    return tmp_path


def whole(tiny: dict, tmp_path: Path) -> tuple[Fit, ...]:
    made: Sweep = fitlab.run(tiny, store=tmp_path / "whole", jobs=1, publish=False)
    return made.fits


@pytest.mark.slow
def test_a_full_disk_stops_the_sweep_and_keeps_what_is_there(tiny: dict, folder: Path) -> None:
    assert sweep(folder, "--no-publish", "-o", "seeds=1").returncode == 0
    fits = folder / "store" / "fits"
    before = {path: path.read_bytes() for path in fits.iterdir()}
    size = max(len(data) for data in before.values())
    done = sweep(folder, "--no-publish", **no_file_longer_than(size - 200))
    assert done.returncode == 3
    assert "cannot be written: [Errno 27] File too large" in done.stderr
    assert {path: path.read_bytes() for path in fits.iterdir()} == before, "whole files, and nothing half beside them"
    again = sweep(folder, "--no-publish")
    assert again.returncode == 0
    assert "4 were there" in again.stdout
    assert fitlab.load("tiny", folder / "store").fits == whole(tiny, folder)


@pytest.mark.slow
def test_a_disk_that_is_full_for_mlflow_costs_no_training(tiny: dict, folder: Path) -> None:
    done = sweep(folder, **no_file_longer_than(300_000))  # enough for Fits, and not for a database
    assert done.returncode == 4
    assert "trained and stored, but not published" in done.stderr
    assert fitlab.load("tiny", folder / "store").fits == whole(tiny, folder)
    assert fitlab.publish("tiny", folder / "store").created == 13


@pytest.mark.slow
def test_a_full_file_system_stops_the_sweep_and_with_room_it_goes_on(tiny: dict, folder: Path) -> None:
    """A real one, of 100 kB; of eight Fits with a record some have room."""
    root = folder / "store"
    root.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=100k", "tmpfs", root], capture_output=True, text=True)
    if mounted.returncode:
        pytest.skip(f"no file system can be mounted here: {mounted.stderr.strip()}")
    try:
        done = sweep(folder, "--no-publish")
        assert done.returncode == 3
        assert "No space left on device" in done.stderr
        kept = len(list((root / "fits").glob("*.safetensors")))
        subprocess.run(["mount", "-o", "remount,size=10m", root], check=True)
        again = sweep(folder, "--no-publish")
        assert (again.returncode, 0 < kept < 8) == (0, True)
        assert f"{kept} were there" in again.stdout
        assert fitlab.load("tiny", root).fits == whole(tiny, folder)
    finally:
        subprocess.run(["umount", root], check=True)


# ── a store that may not be written ─────────────────────────────────────────────────────────────────────────────────


def obeying(*command: str) -> list[str]:
    """Let a command obey the modes of files as users do: root writes whatever they say, without this right too."""
    if os.getuid() != 0:
        return [*command]
    words = ["setpriv", "--bounding-set=-dac_override,-dac_read_search", *command]
    try:
        subprocess.run([*words[:2], "true"], check=True, capture_output=True)
    except (OSError, subprocess.SubprocessError) as error:
        pytest.skip(f"root obeys no modes, and cannot be made to here: {error}")
    return words


@pytest.mark.slow
def test_a_store_that_may_not_be_written_is_said_and_can_be_read(tiny: dict, folder: Path, store: Path) -> None:
    fitlab.run(tiny, store=store, jobs=1)
    paths = [*store.rglob("*"), store]
    before = {path: (path.stat().st_mtime_ns, path.stat().st_size) for path in paths}
    for path in paths:
        path.chmod(0o555 if path.is_dir() else 0o444)
    try:
        for words in (["status"], ["diagnose", "tiny"], ["weights", "tiny"], ["plan", folder / "tiny.yaml"]):
            assert call(folder, *words, before=obeying).returncode == 0, words
        refused = sweep(folder, before=obeying)
        assert (refused.returncode, refused.stdout) == (3, "")
        assert "the store cannot be used: [Errno 13] Permission denied" in refused.stderr
        assert call(folder, "publish", "tiny", before=obeying).returncode in (3, 4)
        examined = call(folder, "doctor", before=obeying)
        assert examined.returncode == 3
        assert "cannot be written" in examined.stdout
    finally:
        for path in sorted(paths):
            path.chmod(0o755 if path.is_dir() else 0o644)
    after = {path: (path.stat().st_mtime_ns, path.stat().st_size) for path in paths}
    assert after == before
