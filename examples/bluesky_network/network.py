"""The servers: PLC directory, PDS, AppView and PostgreSQL, all on 127.0.0.1."""

import hashlib
import json
import os
import re
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

HERE = Path(__file__).parent
NODE_MAJOR = 20
T = TypeVar("T")


def what_is_missing() -> str | None:
    """Returns what must be installed before a network can start, or ``None``."""
    for program, package in (("node", "nodejs"), ("npm", "npm")):
        if shutil.which(program) is None:
            return (
                f"{program} is missing: install {package}, version {NODE_MAJOR} or later for Node"
            )
    version = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True)
    if int(re.findall(r"\d+", version.stdout)[0]) < NODE_MAJOR:
        return f"Node is {version.stdout.strip()}: install version {NODE_MAJOR} or later"
    if _postgres_programs() is None:
        return "PostgreSQL is missing: install postgresql"
    if os.geteuid() == 0 and shutil.which("setpriv") is None:
        return "setpriv is missing, and PostgreSQL refuses to run as root: install util-linux"
    return None


@dataclass(frozen=True)
class Account:
    """An account of the local network.

    Attributes:
        handle: Its name.
        did: Its permanent id.
        password: Its password; not in the repr.
    """

    handle: str
    did: str
    password: str = field(repr=False)

    def environment(self) -> dict[str, str]:
        """Returns the variables by which a ``BlueskyFace`` logs in."""
        return {"BLUESKY_HANDLE": self.handle, "BLUESKY_PASSWORD": self.password}


class LocalBluesky:
    """A Bluesky network on 127.0.0.1 that lives as long as this context.

    The first start installs the servers from the npm registry into a cache that later networks
    reuse; that takes a minute or two and 360 MB. A network starts empty, within seconds, and needs
    450 MB of memory. It ends with the process that started it, however that ends.

    Attributes:
        service: The URL to log in at.
        appview: The URL of the AppView, which anybody can ask.
        servers: The process that they run in, or below.
        feed_did: The id of a feed generator; its Bluesky feeds hold everybody's newest posts.

    Raises:
        RuntimeError: Something is missing, or a server does not start.
    """

    service: str
    appview: str
    servers: subprocess.Popen[str]
    feed_did: str

    def __enter__(self) -> "LocalBluesky":
        """Installs the servers if needed, and starts them."""
        if (missing := what_is_missing()) is not None:
            raise RuntimeError(missing)
        with ExitStack() as stack:
            modules = _installed()
            # Not below a private directory: PostgreSQL runs as another user where this is root.
            folder = Path(tempfile.mkdtemp(prefix="kilroy-bluesky-"))
            stack.callback(shutil.rmtree, folder, ignore_errors=True)
            log = stack.enter_context((folder / "log").open("w+", encoding="utf-8"))
            port = _free_port()
            command = ["node", "--require", str(HERE / "loopback.js"), str(HERE / "network.js")]
            scratch = folder / "servers"
            scratch.mkdir()
            self.servers = subprocess.Popen(
                [*command, str(folder), str(port), *_postgres(folder, port)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                env=os.environ | {"NODE_PATH": str(modules), "TMPDIR": str(scratch)},
                start_new_session=True,  # Ctrl-C is for whoever started this
            )
            stack.callback(_stop, self.servers)
            ready = self.servers.stdout.readline()
            if not ready:
                log.seek(0)
                raise RuntimeError(f"the servers did not start:\n{log.read()[-3000:]}")
            said = json.loads(ready)
            self.service, self.appview = said["service"], said["appview"]
            self.feed_did = said["feed_did"]
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        """Stops the servers and deletes all they have written."""
        self._stack.close()

    def account(self, name: str) -> Account:
        """Makes an account that everybody can see; its handle is ``name`` with ``.test``."""
        handle, password = f"{name}.test", secrets.token_urlsafe(16)
        body = {"handle": handle, "email": f"{name}@example.com", "password": password}
        url = f"{self.service}/xrpc/com.atproto.server.createAccount"
        account = Account(handle, _ask(url, body)["did"], password)
        until(lambda: self._is_known(account.did))
        return account

    def _is_known(self, did: str) -> bool:
        try:
            _ask(f"{self.appview}/xrpc/app.bsky.actor.getProfile?actor={did}")
        except urllib.error.HTTPError as error:
            error.close()
            if error.code != 400:
                raise
            return False
        return True


def until(get: Callable[[], T], enough: Callable[[T], Any] = bool, timeout_s: float = 300.0) -> T:
    """Asks until the answer is good enough, since the AppView lags a little; returns it.

    Raises:
        TimeoutError: It never was; the message has the last answer.
    """
    end = time.monotonic() + timeout_s
    while not enough(answer := get()):
        if time.monotonic() > end:
            raise TimeoutError(f"still {answer!r} after {timeout_s:g} s")
        time.sleep(0.05)
    return answer


def _ask(url: str, body: dict[str, str] | None = None) -> Any:
    content = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, content, {"content-type": "application/json"})
    directly = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with directly.open(request, timeout=300) as answer:
        return json.load(answer)


def _installed() -> Path:
    """Returns where the servers' packages are, exactly those of the lock file."""
    lock = (HERE / "package-lock.json").read_bytes()
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "kilroy-gym"
    folder = cache / f"bluesky-{hashlib.sha256(lock).hexdigest()[:12]}"
    if not folder.exists():
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as scratch:
            _install(Path(scratch))
            try:
                os.rename(scratch, folder)  # at once: nobody sees half of it
            except OSError:
                if not folder.exists():  # nobody else was faster
                    raise
            else:
                os.mkdir(scratch)  # for the context to remove
    return folder / "node_modules"


def _install(folder: Path) -> None:
    for name in ("package.json", "package-lock.json"):
        shutil.copy(HERE / name, folder)
    environment = dict(os.environ)
    prefix = Path(shutil.which("node")).resolve().parents[1]
    if (prefix / "include" / "node").exists():  # what is compiled needs no download then
        environment["npm_config_nodedir"] = str(prefix)
    quick = {"CFLAGS": "-O0", "CXXFLAGS": "-O0", "JOBS": "2"}
    quiet = ["--no-audit", "--no-fund"]
    for command in (["ci", "--ignore-scripts", *quiet], ["rebuild", "better-sqlite3"]):
        done = subprocess.run(
            ["npm", *command],
            cwd=folder,
            env=environment | quick,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise RuntimeError(f"npm {command[0]} failed:\n{done.stderr[-3000:]}")


def _postgres_programs() -> Path | None:
    """Returns the folder of the newest PostgreSQL's programs; Debian has them off the path."""
    found = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: float(path.parts[-3])
    )
    on_path = shutil.which("initdb")
    return found[-1].parent if found else Path(on_path).resolve().parent if on_path else None


def _postgres(folder: Path, port: int) -> list[str]:
    """Makes an empty database in a folder, and returns the command that serves it."""
    programs, data = _postgres_programs(), folder / "postgres"
    data.mkdir(mode=0o700)
    as_user: list[str] = []
    if os.geteuid() == 0:  # it refuses to run as root
        shutil.chown(data, "postgres", "postgres")
        folder.chmod(0o711)
        as_user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
        as_user.append("--pdeathsig=INT")
    subprocess.run(
        [*as_user, programs / "initdb", "-A", "trust", "-U", "pg", "-N", "-D", data],
        cwd=data,
        stdout=subprocess.DEVNULL,
        check=True,
    )
    settings = ("listen_addresses=127.0.0.1", "unix_socket_directories=", "fsync=off")
    options = [part for setting in settings for part in ("-c", setting)]
    return [*as_user, str(programs / "postgres"), "-D", str(data), "-p", str(port), *options]


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _stop(servers: subprocess.Popen[str]) -> None:
    servers.stdin.close()  # which tells them to stop
    try:
        servers.wait(30)
    except subprocess.TimeoutExpired:
        servers.kill()
        servers.wait()
    servers.stdout.close()
