"""Everything in the README runs."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT

README = (ROOT / "README.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def commands() -> list[str]:
    return [line[2:].split(" #")[0].strip() for block in blocks("console") for line in block.splitlines()]


@pytest.mark.slow
def test_python_blocks_run_in_order(tmp_path: Path) -> None:
    script = tmp_path / "readme.py"
    script.write_text("\n".join(blocks("python")))
    done = subprocess.run([sys.executable, "-W", "ignore", script], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "constant predictor" in done.stdout


@pytest.mark.slow
def test_console_blocks_run_in_order(tmp_path: Path) -> None:
    """As written, but for one epoch; make's targets are asked for, not built."""
    for command in commands():
        words = shlex.split(command)
        if words[0] == "make":
            subprocess.run(["make", "-n", *words[1:]], cwd=ROOT, check=True, capture_output=True)
            continue
        quick = ["-o", "training.epochs=1"] if words[1] in {"plan", "sweep"} else []
        done = subprocess.run([sys.executable, "-m", *words, *quick], cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, (command, done.stdout, done.stderr)


def clinic() -> str:
    """Forty patients, four visits each, some incomes unknown."""
    rows = ["patient,age,income,colour,outcome"]
    for i in range(160):
        income = 1000 + 13 * i % 501 if i % 11 else ""
        rows.append(f"{i // 4},{20 + i % 37},{income},{('red', 'green')[i % 3 % 2]},{('ill', 'well')[i % 2]}")
    return "\n".join(rows)


@pytest.mark.slow
@pytest.mark.parametrize("spec", blocks("yaml"), ids=lambda spec: spec.split("\n")[0])
def test_every_spec_is_one(tmp_path: Path, spec: str) -> None:
    (tmp_path / "spec.yaml").write_text(spec)
    (tmp_path / "clinic.csv").write_text(clinic())
    command = [sys.executable, "-m", "fitlab", "check", "spec.yaml"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    expected = {
        "moons": "4 Configs × 3 seeds = 12",
        "without-biases": "2 Configs × 3 seeds",
        "moons-search": "at most 40 Configs × 3",
        "clinic": "4 Configs × 5",
    }
    assert expected.get(spec.split()[1], "27 Configs × 5 seeds = 135 Fits") in done.stdout, done.stderr


@pytest.mark.parametrize("target", re.findall(r"\]\(([^)#]+)\)", README))
def test_links_lead_somewhere(target: str) -> None:
    assert target.startswith("https://") or (ROOT / target).exists()


def test_the_help_of_make_names_every_target() -> None:
    said = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    phony = re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE).group(1).split()
    assert all(f"make {target}" in said for target in phony if target not in {"help", "setup"})
