import itertools
import json
import os
import resource
import signal
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import closing
from pathlib import Path

import pytest
from face_parts import START, unix_clock
from hypothesis import given
from hypothesis import strategies as st
from storable import same, storable

from kilroy_gym import PostData
from kilroy_gym.faces import Journal, StorageError, read_journal
from kilroy_gym.storage.journal import IN_DOUBT

FRESH = itertools.count()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("journals")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "journal"


@given(storable, storable, storable, st.text(), st.floats(allow_nan=False, allow_infinity=False))
def test_what_is_written_comes_back_as_it_was(folder, x, context, post_id, author, score):
    author = author.encode("utf-8", "replace").decode()
    path = folder / str(next(FRESH))
    with closing(Journal(path, unix_clock())) as journal:
        key = journal.intend(PostData(x, context), author)
        journal.made(key, post_id)
        journal.scored(post_id, score)
    (entry,) = read_journal(path)
    assert same([entry.post.x, entry.post.context, entry.post_id], [x, context, post_id])
    assert (entry.number, entry.key, entry.author, entry.score) == (1, key, author, score)
    assert (entry.intended_at, entry.made_at, entry.scored_at) == (START, START, START)
    assert entry.state == "made"


@given(st.lists(st.floats(0, 2e9), max_size=9))
def test_keys_are_the_time_and_a_millisecond_apart_whatever_the_clock_does(folder, times):
    path, clock = folder / str(next(FRESH)), unix_clock()
    keys = []
    for clock.now in times:
        with closing(Journal(path, clock)) as journal:
            keys.append(journal.intend(PostData(0), ""))
    assert all(other - one >= 1000 for one, other in itertools.pairwise(sorted(keys)))
    moved_on = [key - int(now * 1e6) for key, now in zip(keys, times, strict=True)]
    assert all(0 <= by <= 2000 * len(times) for by in moved_on)


def test_entries_tell_how_far_each_post_got(path):
    with closing(Journal(path)) as journal:
        keys = [journal.intend(PostData(x), "bot") for x in range(4)]
        journal.made(keys[0], "a")
        journal.made(keys[1], "b")
        journal.scored("b", 2.5)
        journal.refused(keys[2], "too long")
        assert [e.state for e in journal.entries()] == ["made", "made", "refused", "in doubt"]
        assert [e.number for e in journal.entries(after=2)] == [3, 4]
        assert [e.post_id for e in journal.pending()] == ["a"]
        assert [e.key for e in journal.in_doubt()] == [keys[3]]
        assert journal.find(keys[2]).refusal == "too long"
        assert journal.find(1) is None


def test_the_latest_score_is_kept_and_what_is_no_score_is_not(path):
    with closing(Journal(path)) as journal:
        journal.made(journal.intend(PostData(0), ""), 7)
        for score in (1, 2, float("nan"), float("inf")):
            journal.scored(7, score)
        journal.scored("somebody else's", 5)
        assert [(e.post_id, e.score) for e in journal.entries()] == [(7, 2.0)]


def test_an_id_that_an_earlier_post_has_is_refused(path):
    with closing(Journal(path)) as journal:
        keys = [journal.intend(PostData(x), "") for x in range(2)]
        journal.made(keys[0], 7)
        with pytest.raises(ValueError, match="two posts the same id, 7"):
            journal.made(keys[1], 7)


def test_a_key_that_is_taken_is_refused(path):
    with closing(Journal(path)) as journal:
        journal.intend(PostData(0, key=5), "")
        with pytest.raises(StorageError, match=r"posts\.key"):
            journal.intend(PostData(1, key=5), "")


def test_every_change_is_synced_to_the_disk(path):
    with closing(Journal(path)) as journal:
        pragmas = [f"PRAGMA {name}" for name in ("journal_mode", "synchronous")]
        found = [journal._connection.execute(pragma).fetchone()[0] for pragma in pragmas]
    assert found == ["wal", 2]


def test_finding_doubts_takes_no_look_at_every_post(path):
    with closing(Journal(path)) as journal:
        plan = f"EXPLAIN QUERY PLAN SELECT * FROM posts WHERE {IN_DOUBT} ORDER BY number"
        steps = journal._connection.execute(plan).fetchall()
    assert [step[-1] for step in steps] == ["SCAN posts USING INDEX doubts"]


def test_a_journal_can_be_read_while_it_is_written(path):
    with closing(Journal(path)) as journal:
        for number in range(3):
            journal.intend(PostData(number), "")
            assert len(read_journal(path)) == number + 1


HOLD = """
import sys, time
from kilroy_gym import PostData
from kilroy_gym.faces import Journal
journal = Journal(sys.argv[1])
journal.intend(PostData("theirs"), "")
print("open", flush=True)
sys.stdin.read()
"""


def test_a_second_process_is_refused_until_the_first_ends_however_it_ends(path):
    command = [sys.executable, "-c", HOLD, path]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, text=True, **pipes) as other:
        assert other.stdout.readline() == "open\n"
        with pytest.raises(StorageError, match="is in use: another process has it open"):
            Journal(path)
        other.send_signal(signal.SIGKILL)
    with closing(Journal(path)) as journal:
        assert [entry.post.x for entry in journal.entries()] == ["theirs"]


def test_a_journal_is_opened_once_in_a_process_too(path):
    with closing(Journal(path)), pytest.raises(StorageError, match="this one has it open twice"):
        Journal(path)
    Journal(path).close()


def test_another_kind_of_file_is_refused_and_left_as_it_is(path):
    path.write_text("dear diary, " * 100)
    with pytest.raises(StorageError, match="file is not a database"):
        Journal(path)
    assert path.read_text() == "dear diary, " * 100
    database = path.with_name("database")
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("CREATE TABLE posts (mine)")
    for use in (Journal, read_journal):
        with pytest.raises(StorageError, match="is a database, but not a journal"):
            use(database)


def test_reading_makes_no_file(path):
    with pytest.raises(StorageError, match="unable to open database file"):
        read_journal(path)
    assert not path.exists()


def test_a_directory_that_is_not_there_is_refused(path):
    with pytest.raises(StorageError, match="it needs a writable directory"):
        Journal(path / "journal")


@pytest.fixture
def nobody():
    """Somebody who may not write everywhere, as root may."""
    before = os.geteuid()
    if before == 0:
        os.seteuid(65534)
    yield
    os.seteuid(before)


def test_a_directory_that_cannot_be_written_is_refused(nobody):
    with tempfile.TemporaryDirectory() as directory:
        Path(directory).chmod(0o555)
        with pytest.raises(StorageError, match="it needs a writable directory"):
            Journal(Path(directory) / "journal")
        Path(directory).chmod(0o755)


def test_a_journal_that_cannot_be_written_any_more_is_refused(nobody):
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "journal"
        Journal(path).close()
        path.chmod(0o444)
        with pytest.raises(StorageError, match="attempt to write a readonly database"):
            Journal(path)


FULL = """
import resource, signal, sys
from kilroy_gym import KilroyFace, PostData
from kilroy_gym.faces import JournaledFace, StorageError

class Counting(KilroyFace):
    sent = 0
    def scrap(self, limit=None): yield from ()
    def score(self, post_id): return 0.0
    idempotent = True
    def post(self, data):
        self.sent += 1
        return data.key

face = JournaledFace(Counting(), sys.argv[1])
face.post(PostData("a" * 1000))
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), resource.RLIM_INFINITY))
try:
    for number in range(100):
        face.post(PostData("b" * 1000))
except StorageError as error:
    print(face.face.sent, error)
"""


@pytest.mark.parametrize("bytes_left", [0, 20_000, 100_000, 100_512])
def test_where_the_disk_is_full_nothing_is_sent_that_is_not_journaled(path, bytes_left):
    size = 4096 + bytes_left
    command = [sys.executable, "-c", FULL, path, str(size)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    sent, message = done.stdout.split(" ", 1)
    assert "cannot be used" in message
    assert "room on the disk" in message
    entries = read_journal(path)
    assert int(sent) <= len(entries) < 100
    assert [e.state for e in entries[:-1]] == ["made"] * (len(entries) - 1)
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] == resource.RLIM_INFINITY


def test_nothing_in_the_file_is_code(path):
    with closing(Journal(path)) as journal:
        journal.intend(PostData({"a": (1, b"2")}), "")
    with closing(sqlite3.connect(path)) as connection:
        ((content,),) = connection.execute("SELECT content FROM posts")
    assert json.loads(content)[0] == {"$dict": {"a": {"$tuple": [1, {"$bytes": "Mg=="}]}}}


def test_posts_that_do_not_count_are_marked_once(path):
    with closing(Journal(path)) as journal:
        for number in range(6):
            journal.intend(PostData(number), "")
        assert journal.discount(4) == 2
        journal.intend(PostData(6), "")
        assert journal.discount(5) == 2  # the new one counts
        assert journal.discount(3) == 4
        assert (journal.count(), journal.count(counted_only=True)) == (7, 3)
    assert [entry.post.x for entry in read_journal(path) if entry.counted] == [0, 1, 2]


def test_a_journal_that_is_just_being_made_has_no_posts(path):
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
    assert read_journal(path) == []
