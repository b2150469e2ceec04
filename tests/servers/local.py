"""Real database servers for tests: given by a URL, or started here from installed programs, in a temp folder."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import psutil
from sqlalchemy import create_engine, text
from sqlalchemy.engine import URL, make_url

PRODUCTS = ("sqlite", "mariadb", "mysql", "postgresql")
_START_SECONDS = 40.0


class Unavailable(Exception):
    """This product cannot be tested here; the message says why."""


@dataclass
class Server:
    """One server: its URL as an administrator, and, when it is ours, how to stop, kill and restart it."""

    product: str
    url: URL
    folder: Path | None = None
    command: list[str] = field(default_factory=list)
    user: str | None = None
    process: subprocess.Popen[bytes] | None = None
    #: A command that ends it and removes its data, where it was started by a program of somebody else's.
    ender: list[str] = field(default_factory=list)

    def start(self) -> None:
        """Start it on its data, and wait until it answers."""
        assert self.folder is not None
        log = open(self.folder / "server.log", "ab")  # noqa: SIM115 - inherited by the server
        self.process = subprocess.Popen(
            self.command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, user=self.user,
            group=self.user, extra_groups=[] if self.user else None, cwd=self.folder,
        )  # fmt: skip
        log.close()
        deadline = time.monotonic() + _START_SECONDS
        while not self.answers():
            if self.process.poll() is not None or time.monotonic() > deadline:
                tail = (self.folder / "server.log").read_text(errors="replace")[-2000:]
                raise Unavailable(f"{self.product} did not start:\n{tail}")
            time.sleep(0.1)

    def answers(self) -> bool:
        """Whether one can connect."""
        engine = create_engine(self.url)
        try:
            with engine.connect() as connection:
                connection.execute(text("SELECT 1"))
            return True
        except Exception:
            return False
        finally:
            engine.dispose()

    def kill(self) -> None:
        """kill -9 of the server and all its processes."""
        assert self.process is not None
        family = psutil.Process(self.process.pid).children(recursive=True)  # PostgreSQL's lead groups of their own
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        for one in family:
            with contextlib.suppress(psutil.NoSuchProcess):
                one.kill()
        self.process.wait()
        if self.product == "postgresql" and self.folder is not None:
            with contextlib.suppress(FileNotFoundError):
                (self.folder / "data" / "postmaster.pid").unlink()

    def destroy(self) -> None:
        """End it and remove its data."""
        if self.ender:
            subprocess.run(self.ender, capture_output=True, check=True)
        if self.process is not None and self.process.poll() is None:
            self.kill()
        if self.folder is not None:
            shutil.rmtree(self.folder, ignore_errors=True)


def obtain(product: str) -> Server:
    """The server under test for a product: from TASKMANAGER_TEST_<PRODUCT>_URL, or a private one."""
    given = os.environ.get(f"TASKMANAGER_TEST_{product.upper()}_URL")
    if given:
        server = Server(product, _ready(make_url(given)))
        if not server.answers():
            raise Unavailable(f"nothing answers at TASKMANAGER_TEST_{product.upper()}_URL")
        return server
    return private(product)


def private(product: str, *, durable: bool = False) -> Server:
    """A server of our own, started from installed programs."""
    makers = {"mariadb": _mariadb, "mysql": _mysql, "postgresql": _postgresql}
    return makers[product](durable)


def _mariadb(durable: bool) -> Server:
    daemon, install = _find("mariadbd"), _find("mariadb-install-db")
    folder, user = _folder("mysql")
    account = ["--user=" + user] if user else []
    done = subprocess.run(
        [install, "--no-defaults", f"--datadir={folder / 'data'}", "--auth-root-authentication-method=normal",
         "--skip-test-db", "--skip-name-resolve", "--force", *account],
        capture_output=True, check=False,
    )  # fmt: skip
    if done.returncode != 0:
        raise Unavailable(f"mariadb-install-db failed: {done.stderr[-500:]!r}")
    init = folder / "init.sql"
    init.write_text(
        "CREATE USER IF NOT EXISTS 'test'@'%' IDENTIFIED BY 'test';\n"
        "GRANT ALL ON *.* TO 'test'@'%' WITH GRANT OPTION;\n"
    )
    init.chmod(0o644)
    port = _free_port()
    flush = "1" if durable else "0"
    command = [
        daemon, "--no-defaults", f"--datadir={folder / 'data'}", f"--socket={folder / 's'}", f"--tmpdir={folder}",
        f"--port={port}", "--bind-address=127.0.0.1", "--skip-name-resolve", f"--init-file={init}",
        "--max-connections=400", f"--innodb-flush-log-at-trx-commit={flush}", "--character-set-server=utf8mb4",
        *account,
    ]  # fmt: skip
    url = URL.create("mysql+pymysql", "test", "test", "127.0.0.1", port)
    server = Server("mariadb", _ready(url), folder, command)
    server.start()
    return server


def _mysql(durable: bool) -> Server:
    starter = os.environ.get("TASKMANAGER_TEST_MYSQL_STARTER")
    if not starter:
        raise Unavailable(
            "set TASKMANAGER_TEST_MYSQL_URL to the URL of a server to test on, or TASKMANAGER_TEST_MYSQL_STARTER to a "
            "program that starts one: `start FOLDER PORT` prints its URL, `destroy FOLDER` ends it"
        )
    folder = Path(tempfile.mkdtemp(prefix="tm-server-"))
    folder.chmod(0o755)
    durably = {"DURABLE": "1" if durable else "0"}
    done = subprocess.run(
        [starter, "start", str(folder / "mysql"), str(_free_port())], capture_output=True, text=True, check=False,
        env=os.environ | durably,
    )  # fmt: skip
    if done.returncode != 0:
        shutil.rmtree(folder, ignore_errors=True)
        raise Unavailable(f"{starter} failed: {done.stderr[-500:]}")
    ender = [starter, "destroy", str(folder / "mysql")]
    return Server("mysql", _ready(make_url(done.stdout.strip().splitlines()[-1])), folder, ender=ender)


def _postgresql(durable: bool) -> Server:
    daemon, install = _find("postgres", "/usr/lib/postgresql/*/bin"), _find("initdb", "/usr/lib/postgresql/*/bin")
    folder, user = _folder("postgres")
    done = subprocess.run(
        [install, "-D", str(folder / "data"), "-U", "test", "--auth=trust", "-E", "UTF8", "--no-sync"],
        capture_output=True, check=False, user=user, group=user, extra_groups=[] if user else None, cwd=folder,
    )  # fmt: skip
    if done.returncode != 0:
        raise Unavailable(f"initdb failed: {done.stderr[-500:]!r}")
    port = _free_port()
    sync = "on" if durable else "off"
    command = [
        daemon, "-D", str(folder / "data"), "-p", str(port), "-k", str(folder), "-c", "listen_addresses=127.0.0.1",
        "-c", f"fsync={sync}", "-c", f"synchronous_commit={sync}", "-c", "max_connections=300",
    ]  # fmt: skip
    url = URL.create("postgresql+psycopg", "test", None, "127.0.0.1", port, "postgres")
    server = Server("postgresql", url, folder, command, user=user)
    server.start()
    return server


def _ready(url: URL) -> URL:
    """PyMySQL would load the machine's CA certificates at every connect (50 ms) unless TLS is off."""
    if url.get_backend_name() in ("mysql", "mariadb"):
        return url.update_query_dict({"ssl_disabled": "true"})
    return url


def _find(program: str, *places: str) -> str:
    found = shutil.which(program)
    if found is None:
        candidates = [str(p / program) for place in places for p in sorted(Path("/").glob(place.lstrip("/")))]
        found = next((c for c in reversed(candidates) if os.access(c, os.X_OK)), None)
    if found is None:
        raise Unavailable(f"the program {program} is not installed")
    return os.path.realpath(found) if program in ("mariadbd",) else _behind_wrapper(found, places)


def _behind_wrapper(found: str, places: tuple[str, ...]) -> str:
    """Prefer the versioned program over a wrapper on the PATH."""
    name = Path(found).name
    real = [str(p / name) for place in places for p in sorted(Path("/").glob(place.lstrip("/")))]
    return next((r for r in reversed(real) if os.access(r, os.X_OK)), found)


def _folder(account: str) -> tuple[Path, str | None]:
    """A folder the server may use; as root it must run under an account of its own."""
    folder = Path(tempfile.mkdtemp(prefix="tm-server-"))
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        return folder, None
    try:
        shutil.chown(folder, account, account)
    except LookupError:
        raise Unavailable(f"running as root, and there is no account {account!r} for the server") from None
    folder.chmod(0o755)
    return folder, account


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
