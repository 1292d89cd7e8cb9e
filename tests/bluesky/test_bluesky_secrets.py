"""No password and no token gets out of a run, whichever of its requests fails."""

import base64
import json
import signal
import threading
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from urllib.parse import quote

import pytest
from bluesky_command import POSTS
from faults import FAULTS, RARER_FAULTS
from forks import forked

from kilroy_gym.faces import read_journal
from kilroy_gym.live.base import JOURNAL

COMMAND = Path(__file__).with_name("bluesky_command.py")
MENDED = {"401", "expired"}
"""After these the login is renewed, and the run goes on; and after the last request none is left
to be refused."""


def forms(secret):
    """Yields how a secret may be written: as it is, in a URL, in hexadecimal, in base64."""
    raw = secret.encode()
    yield from (raw, quote(secret, safe="").encode(), raw.hex().encode())
    for shift in range(3):  # with so many bytes before it, but for the multiple of 3
        inside = base64.b64encode(bytes(shift) + raw)[4 * (shift > 0) : -4]
        yield from (inside, inside.translate(bytes.maketrans(b"+/", b"-_")))


def parts(token):
    """Yields what of a token must not be told: all but the first part, which says what it is."""
    yield from token.split(".")[1:]


def leaks(folder, secrets):
    """Returns the files below a folder in which a secret is, in whatever form."""
    wanted = {form for secret in secrets for form in forms(secret)}
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert files
    contents = {path: path.read_bytes() for path in files}
    return [str(path) for path, found in contents.items() if any(form in found for form in wanted)]


@pytest.fixture
def command(network, library, proxy, new_account, tmp_path):
    """Starts the command, each time with an account and a folder of its own."""
    numbers = count()
    secrets = set()

    @contextmanager
    def start(timeout_s=600.0):
        with forked(COMMAND, network.service, library.handle, timeout_s) as bot:

            def run():
                account, folder = new_account(), tmp_path / str(next(numbers))
                folder.mkdir()
                secrets.add(account.password)
                variables = account.environment() | proxy.environment()
                bot.start(json.dumps([str(folder), variables]))
                return folder

            yield bot, run
        assert len(proxy.tokens) >= 2 * (next(numbers) - 1)
        secrets.update(part for token in proxy.tokens for part in parts(token))

    return start, secrets


@pytest.mark.parametrize("shift", range(3))
def test_the_search_finds_a_secret_in_every_form(tmp_path, shift):
    secret = "pass/word+with?odd&characters"
    written = {
        "plain": secret.encode(),
        "url": quote(f"a={secret}", safe="").encode(),
        "hex": secret.encode().hex().encode(),
        "base64": base64.b64encode(b"user:"[shift:] + secret.encode() + b"!"),
        "urlsafe": base64.urlsafe_b64encode(b"user:"[shift:] + secret.encode() + b"!"),
    }
    for name, content in written.items():
        (tmp_path / name).write_bytes(b"\0before " + content + b" after")
    (tmp_path / "nothing").write_bytes(b"password")
    assert {Path(path).name for path in leaks(tmp_path, [secret])} == set(written)


@pytest.mark.parametrize("fault", [*FAULTS, *RARER_FAULTS])
def test_whichever_request_of_a_run_fails_no_secret_is_left_anywhere(
    command, proxy, tmp_path, fault
):
    start, secrets = command
    with start(5.0 if fault == "slow" else 600.0) as (bot, run):
        for number in count():
            proxy.break_requests({number: fault})
            folder = run()
            code = bot.ended()
            proxy.listen()
            if not proxy.broken:
                break
            errors = (folder / "stderr").read_text()
            if fault not in MENDED and not (fault == "refused" and code == 0):
                assert code == 2, errors
                assert "Bluesky" in errors
                assert "Traceback" in errors
    assert code == 0, errors
    assert number > POSTS + 4
    print(f"{fault}: {number} runs with a fault, {len(secrets)} secrets")
    assert [e.state for e in read_journal(folder / "run" / JOURNAL)] == ["made"] * POSTS
    assert leaks(tmp_path, secrets) == []


def test_a_run_that_is_aborted_leaves_no_secret(command, proxy, tmp_path):
    start, secrets = command
    posting, over = threading.Event(), threading.Event()

    def watch(method, what):
        if method == "putRecord" and what == "carried out" and len(proxy.requests) > 5:
            posting.set()
            over.wait()

    proxy.watch = watch
    with start() as (bot, run):
        folder = run()
        while not posting.wait(0.1):
            assert bot.is_there()
        assert bot.kill(signal.SIGABRT)
        over.set()
    assert "Current thread" in (folder / "stderr").read_text()
    assert (folder / "run" / f"{JOURNAL}-wal").stat().st_size > 0
    assert leaks(tmp_path, secrets) == []
