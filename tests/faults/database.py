"""A real PostgreSQL in a folder of its own: made, started on loopback, stopped and removed."""

from __future__ import annotations

import os
import pwd
import re
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from faults.serving import PATIENCE, free_port

PASSWORD = secrets.token_hex(8)
OWNER = "nobody" if os.geteuid() == 0 else None  # PostgreSQL does not run as root


def binaries() -> Path | None:
    """Return the folder of the newest PostgreSQL's programs; None where there is none. Debian has them on no PATH."""
    found = {path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")}
    if found:
        return max(found, key=lambda folder: [int(part) for part in re.findall(r"\d+", folder.parent.name)])
    there = shutil.which("initdb")
    return Path(there).resolve().parent if there else None


@dataclass(frozen=True)
class Postgres:
    """A database server; ``stop`` ends it as a crash would."""

    programs: Path
    folder: Path
    port: int = field(default_factory=free_port)

    def uri(self, database: str, password: str = PASSWORD) -> str:
        return f"postgresql://fitlab:{password}@127.0.0.1:{self.port}/{database}"

    def make(self) -> None:
        password = self.folder / "password"
        password.write_text(PASSWORD)
        if OWNER:
            for path in (self.folder, password):
                shutil.chown(path, OWNER)
        guarded = ("--username=fitlab", "--auth=scram-sha-256", f"--pwfile={password}")
        self._run("initdb", "-D", self.folder / "data", "--no-sync", "--encoding=UTF8", "--locale=C", *guarded)

    def start(self) -> None:
        # Its socket lies in its folder, too; -F: nothing here is to outlive a power failure
        listening = f"-h 127.0.0.1 -p {self.port} -k {self.folder} -F"
        self._control("start", "-l", self.folder / "log", "-o", listening)

    def create(self, database: str) -> None:
        self._run("createdb", "-h", "127.0.0.1", "-p", self.port, "-U", "fitlab", database)

    def stop(self) -> None:
        self._control("stop", "-m", "immediate")

    def _control(self, verb: str, *words: object) -> None:
        self._run("pg_ctl", verb, "-D", self.folder / "data", "-w", "-t", PATIENCE, *words)

    def _run(self, program: str, *words: object) -> None:
        """Run one of its programs as somebody who may, with none of our settings."""
        environment = {"PATH": os.defpath, "LC_ALL": "C", "PGPASSWORD": PASSWORD}
        owner = {"user": OWNER, "group": pwd.getpwnam(OWNER).pw_gid, "extra_groups": []} if OWNER else {}
        with (self.folder / "said").open("w+") as said:  # no pipe: the server would hold it open
            done = subprocess.run(
                [str(self.programs / program), *map(str, words)],
                cwd=self.folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                **owner,
            )
            said.seek(0)
            assert done.returncode == 0, said.read()


@contextmanager
def postgresql(*databases: str) -> Iterator[Postgres]:
    """Run a server with empty ``databases``; in any case it is stopped, and all that it wrote removed."""
    programs = binaries()
    assert programs is not None, "ask first"
    folder = Path(tempfile.mkdtemp(prefix="fitlab-pg-"))  # a socket's path is short; nobody may enter a test's folder
    database = Postgres(programs, folder)
    try:
        database.make()
        database.start()
        try:
            for name in databases:
                database.create(name)
            yield database
        finally:
            database.stop()
    finally:
        shutil.rmtree(folder)
