import json
import os
import traceback

import pytest

from kilroy_gym.faces.bluesky.credentials import (
    Credentials,
    credentials_from_environment,
    credentials_from_file,
)

PASSWORD = "planted-password"
GOOD = json.dumps({"handle": "kilroy.test", "password": PASSWORD})


@pytest.fixture
def write(tmp_path):
    """Writes a credentials file with a mode."""

    def write_file(content=GOOD, mode=0o600):
        path = tmp_path / "credentials.json"
        path.write_text(content, encoding="utf-8")
        path.chmod(mode)
        return path

    return write_file


def test_the_environment_gives_handle_and_password():
    environ = {"BLUESKY_HANDLE": "kilroy.test", "BLUESKY_PASSWORD": PASSWORD}
    assert credentials_from_environment("BLUESKY", environ) == Credentials("kilroy.test", PASSWORD)


def test_the_environment_is_that_of_the_process(monkeypatch):
    monkeypatch.setenv("BLUESKY_HANDLE", "kilroy.test")
    monkeypatch.setenv("BLUESKY_PASSWORD", PASSWORD)
    assert credentials_from_environment("BLUESKY").handle == "kilroy.test"


@pytest.mark.parametrize("missing", ["BLUESKY_HANDLE", "BLUESKY_PASSWORD"])
@pytest.mark.parametrize("how", ["unset", "empty"])
def test_a_missing_variable_is_named_and_the_other_not_quoted(missing, how):
    environ = {"BLUESKY_HANDLE": PASSWORD, "BLUESKY_PASSWORD": PASSWORD}
    if how == "unset":
        del environ[missing]
    else:
        environ[missing] = ""
    with pytest.raises(ValueError, match=f"^{missing} not set") as caught:
        credentials_from_environment("BLUESKY", environ)
    assert PASSWORD not in str(caught.value)


@pytest.mark.parametrize("mode", [0o600, 0o400])
def test_a_file_of_the_owner_alone_is_read(write, mode):
    assert credentials_from_file(write(mode=mode)) == Credentials("kilroy.test", PASSWORD)


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX's")
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602, 0o610, 0o644, 0o777])
def test_a_file_that_others_can_use_is_refused(write, mode):
    path = write(mode=mode)
    with pytest.raises(ValueError, match=f"mode {mode:04o}.*chmod 600"):
        credentials_from_file(path)


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only root gives files away")
def test_a_file_of_another_user_is_refused(write):
    path = write()
    os.chown(path, 12345, -1)
    with pytest.raises(ValueError, match="belongs to user 12345"):
        credentials_from_file(path)


@pytest.mark.skipif(os.name != "posix", reason="it is POSIX's")
def test_what_is_no_regular_file_is_refused():
    with pytest.raises(ValueError, match="not a regular file"):
        credentials_from_file("/dev/null")


def test_a_file_that_is_not_there_says_so(tmp_path):
    with pytest.raises(FileNotFoundError):
        credentials_from_file(tmp_path / "nothing.json")


@pytest.mark.parametrize(
    "content",
    [
        PASSWORD,
        GOOD[:-1],
        json.dumps([PASSWORD]),
        json.dumps({"password": PASSWORD}),
        json.dumps({"handle": "kilroy.test", "password": PASSWORD, "more": 1}),
        json.dumps({"handle": "", "password": PASSWORD}),
        json.dumps({"handle": 1, "password": PASSWORD}),
        json.dumps({"handle": PASSWORD, "password": ""}),
    ],
)
def test_a_file_that_says_something_else_is_refused_and_not_quoted(write, content):
    with pytest.raises(ValueError, match="must hold JSON") as caught:
        credentials_from_file(write(content))
    assert caught.value.__context__ is None
    frames = caught.value.__traceback__.tb_next  # behind this test's own frame, which has it all
    told = traceback.TracebackException(
        type(caught.value), caught.value, frames, capture_locals=True
    )
    assert PASSWORD not in "".join(told.format())


def test_the_repr_has_no_password():
    told = repr(Credentials("kilroy.test", PASSWORD))
    assert "kilroy.test" in told
    assert PASSWORD not in told


@pytest.mark.parametrize("around", [("@", ""), (" ", " "), ("\u202a", "\u202c"), ("\ufeff", "\n")])
def test_what_copying_adds_is_left_out(tmp_path, around):
    handle = "bot.test".join(around)
    path = tmp_path / "login.json"
    content = json.dumps({"handle": handle, "password": " pass-word\u200b\n"}, ensure_ascii=False)
    path.write_text(content, encoding="utf-8-sig")
    path.chmod(0o600)
    found = credentials_from_file(path)
    assert (found.handle, found.password) == ("bot.test", "pass-word")
    environ = {"X_HANDLE": handle, "X_PASSWORD": "pass-word\r\n"}
    found = credentials_from_environment("X", environ)
    assert (found.handle, found.password) == ("bot.test", "pass-word")
