"""The fast tests with other versions: of the newest Python that is here, and the lowest that pyproject.toml names.

`python tests/versions.py [lowest] [newest]`, or `make versions`. Each gets an environment of its own in build/versions;
what cannot be installed, or fails, is said at the end, with exit code 1.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
NEWEST_FIRST = ("3.15", "3.14", "3.13", "3.12")
# Old libraries beside new ones deprecate each other's ways.
TESTS = ("-q", "-n", "2", "-p", "no:cacheprovider", "-m", "not slow", "-W", "ignore::DeprecationWarning")


def main(wanted: list[str]) -> int:
    failed = []
    for name in wanted or ["lowest", "newest"]:
        python = oldest() if name == "lowest" else newest()
        print(f"\n{name}: {python}", flush=True)
        if any(subprocess.run(step, cwd=ROOT, env=environment(name)).returncode for step in steps(name, python)):
            failed.append(name)
    print(f"\nfailed: {', '.join(failed)}" if failed else "\nall passed")
    return bool(failed)


def oldest() -> str:
    """Return the Python that pyproject.toml names, or this one where that is it."""
    version = PROJECT["requires-python"].removeprefix(">=")
    return sys.executable if version == f"{sys.version_info[0]}.{sys.version_info[1]}" else f"python{version}"


def newest() -> str:
    """Return the newest Python that runs here."""
    for version in NEWEST_FIRST:
        found = shutil.which(f"python{version}")
        if found and subprocess.run([found, "--version"], capture_output=True).returncode == 0:
            return found
    return sys.executable


def environment(name: str) -> dict[str, str]:
    """Return an environment in which pip takes the versions of ``name``, and nothing finds another installation."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "VIRTUAL_ENV"))}
    return {**kept, "PIP_CONSTRAINT": str(constraints(name)), "NUMBA_CACHE_DIR": str(folder(name) / "numba")}


def folder(name: str) -> Path:
    path = ROOT / "build" / "versions" / name
    path.mkdir(parents=True, exist_ok=True)
    return path


def constraints(name: str) -> Path:
    """Return the file of versions: the tested ones, or the lower bound of each dependency and the rest as it comes."""
    if name == "newest":
        return ROOT / "constraints.txt"
    tested = dict(line.split("==") for line in (ROOT / "constraints.txt").read_text().split() if "==" in line)
    lower = dict(re.fullmatch(r"([\w.-]+)>=([\w.]+)", one).groups() for one in PROJECT["dependencies"])
    tools = [re.match(r"[\w.-]+", one)[0] for one in PROJECT["optional-dependencies"]["dev"]]
    pinned = {**{tool: tested[tool] for tool in tools if tool in tested}, **lower}
    path = folder(name) / "constraints.txt"
    path.write_text("".join(f"{one}=={version}\n" for one, version in sorted(pinned.items())))
    return path


def steps(name: str, python: str) -> list[list[str]]:
    """Return the commands that make an environment, install into it and test there."""
    there = folder(name) / "venv" / "bin"
    pip = [f"{there}/python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-e", ".[dev]"]
    return [[python, "-m", "venv", str(folder(name) / "venv")], pip, [f"{there}/pytest", *TESTS]]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
