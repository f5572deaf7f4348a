"""What can go wrong, in words a user can act on; each error knows the exit code of the command line."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

Path = tuple[str | int, ...]


def dotted(path: Path) -> str:
    """Write a key path as users do: ``sweep.parameters.training.alpha.values[1]``."""
    text = ""
    for key in path:
        text += f"[{key}]" if isinstance(key, int) else f".{key}" if text else str(key)
    return text


def readable(text: str) -> str:
    """Return a text as every file and database takes it: PostgreSQL refuses NUL, UTF-8 what stands for undecoded bytes.

    These are written as Python does, ``\\x00`` and ``\\udcff``.
    """
    return text.encode("utf-8", "backslashreplace").decode().replace("\0", "\\x00")


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with a request: where, what was given, what is allowed, what to do."""

    path: Path
    message: str
    given: str | None = None
    allowed: str | None = None
    hint: str | None = None
    where: str | None = None  # "file:line:column", or "-o option"

    def __str__(self) -> str:
        head = " ".join(part for part in (self.where, dotted(self.path)) if part)
        lines = [f"{head}: {self.message}" if head else self.message]
        lines += [f"    given:   {self.given}"] if self.given is not None else []
        lines += [f"    allowed: {self.allowed}"] if self.allowed is not None else []
        lines += [f"    hint:    {self.hint}"] if self.hint is not None else []
        return "\n".join(lines)


class FitlabError(Exception):
    """Base of every error that fitlab raises on purpose."""

    exit_code = 1


class SpecError(FitlabError):
    """The request is wrong; carries every problem that was found, not only the first."""

    exit_code = 2

    def __init__(self, problems: Iterable[Problem] | str, source: str = "", cause: object = None) -> None:
        found = [Problem((), problems)] if isinstance(problems, str) else list(problems)
        self.problems: tuple[Problem, ...] = tuple(dict.fromkeys(found))
        self.source = source
        self.cause = cause  # what was read, where something was
        super().__init__(str(self))

    def __str__(self) -> str:
        count = len(self.problems)
        head = f"{self.source}: {count} problem{'s' if count > 1 else ''}\n" if self.source else ""
        return head + "\n".join(str(problem) for problem in self.problems)

    def __reduce__(self) -> tuple[type[SpecError], tuple[tuple[Problem, ...], str]]:
        return SpecError, (self.problems, self.source)


class StoppedError(FitlabError):
    """More Fits failed than the spec allows (``run``): the sweep was ended, what was finished is kept."""

    def __init__(self, message: str, done: int = 0) -> None:
        super().__init__(message)
        self.done = done  # Fits that are there


class StoreError(FitlabError):
    """The store cannot be read, written or locked."""

    exit_code = 3


class PublishError(FitlabError):
    """Training is done and stored, but MLflow could not be written."""

    exit_code = 4
