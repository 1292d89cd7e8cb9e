import itertools
import warnings
from uuid import UUID

import numpy as np
import pytest
from face_parts import TOKEN, OnceFace, contents, unix_clock
from hypothesis import given
from hypothesis import strategies as st
from parts import ID_MAKERS, WallFace, moody_face

from kilroy_gym import FaceVectorEnv, PostData
from kilroy_gym.codecs import UnencodablePost
from kilroy_gym.faces import JournaledFace, RetryingFace, StorageError, read_journal
from kilroy_gym.interfaces import PostRefused, Simulated, find

FRESH = itertools.count()


@pytest.fixture
def path(tmp_path):
    return tmp_path / "journal"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("journals")


@pytest.mark.parametrize("key", [None, 5])
def test_a_post_is_in_the_journal_before_it_is_sent(path, key):
    found = []

    class Looking(OnceFace):
        def post(self, data):
            found.extend(
                (e.state, e.key == data.key, e.post.x, e.author) for e in read_journal(path)
            )
            return super().post(data)

    with JournaledFace(Looking(), path, author="bot 7") as face:
        assert face.post(PostData("hello", key=key)) == 0
    assert found == [("in doubt", True, "hello", "bot 7")]
    assert [(e.state, e.post_id) for e in read_journal(path)] == [("made", 0)]


@pytest.mark.parametrize("kind", ["int", "str", "tuple"])
def test_scores_are_in_the_journal_before_anybody_has_them(path, kind):
    with JournaledFace(OnceFace(make_id=ID_MAKERS[kind]), path) as face:
        ids = list(face.post_many(map(PostData, (1, 2, 3))))
        assert face.score(ids[0]) == 1
        for number, (_, score) in enumerate(face.score_many(ids[1:]), 2):
            assert score == number
            assert [e.score for e in read_journal(path)] == [1, 2, 3][:number] + [None] * (
                3 - number
            )


def test_pending_scores_can_be_asked_for_after_a_restart(path):
    platform = OnceFace(asks=lambda number: number % 2, make_id=ID_MAKERS["tuple"])
    with JournaledFace(platform, path) as face:
        ids = list(face.post_many(map(PostData, range(4))))
        assert len(dict(face.score_many(ids))) == 2
    with JournaledFace(platform, path) as face:
        pending = [entry.post_id for entry in face.journal.pending()]
        assert dict(face.score_many(pending)) == {ids[1]: 1.0, ids[3]: 3.0}
        assert [e.score for e in face.journal.entries()] == [0, 1, 2, 3]


def test_a_post_whose_answer_was_lost_is_sent_again_with_its_key_before_any_other(path):
    platform = OnceFace()
    platform.lose = 1
    face = JournaledFace(platform, path, clock=unix_clock())
    with face, pytest.raises(ConnectionResetError):
        face.post(PostData("first"))
    with JournaledFace(platform, path, author="later", clock=unix_clock(5.0)) as face:
        assert face.post(PostData("second")) == 1
    assert contents(platform) == ["first", "second"]
    assert platform.sent == [1_700_000_000_000_000] * 2 + [5_000_000]
    assert [(e.post.x, e.author) for e in read_journal(path)] == [
        ("first", ""),
        ("second", "later"),
    ]


def test_settling_tells_what_has_become_of_posts_in_doubt(path):
    platform = OnceFace()
    with JournaledFace(platform, path) as face:
        for x in ("made", "refused"):
            face.journal.intend(PostData(x), "")
        platform.refuse = ("refused",)
        assert [(e.post.x, e.state, e.post_id) for e in face.settle()] == [
            ("made", "made", 0),
            ("refused", "refused", None),
        ]
        assert face.settle() == []


def test_a_post_that_can_never_be_sent_is_given_up_by_hand(path):
    platform = OnceFace()
    platform.lose = 99
    with JournaledFace(platform, path) as face:
        with pytest.raises(ConnectionResetError):
            face.post(PostData("poison"))
        face.journal.refused(face.journal.in_doubt()[0].key, "given up")
        platform.lose = 0
        assert face.post(PostData("next")) == 1


def test_where_the_platform_is_not_idempotent_it_says_so_and_leaves_posts_in_doubt(path):
    class Plain(WallFace):
        def post(self, data):
            super().post(data)
            if data.x == "lost":
                raise ConnectionResetError
            return len(self.posts)

    platform = Plain()
    with pytest.warns(UserWarning, match="Plain is not idempotent.*stays in doubt"):
        face = JournaledFace(platform, path)
    with face:
        with pytest.raises(ConnectionResetError):
            face.post(PostData("lost"))
        assert face.settle() == []
        assert face.post(PostData("next")) == 2
        assert not face.idempotent
        assert [e.post.x for e in face.journal.in_doubt()] == ["lost"]
    assert contents(platform) == ["lost", "next"]


def test_what_the_platform_refuses_is_kept_with_the_reason_and_not_sent_again(path):
    platform = OnceFace()
    platform.refuse = ("rude",)
    with JournaledFace(platform, path) as face:
        for _ in range(2):
            with pytest.raises(PostRefused, match="'rude' is not for this platform") as caught:
                face.post(PostData("rude", key=5))
            assert caught.value.key == 5
        assert platform.sent == [5]
        assert [(e.state, e.refusal) for e in face.journal.entries()] == [
            ("refused", "'rude' is not for this platform")
        ]


def test_what_the_platform_cannot_encode_was_not_posted(path):
    with JournaledFace(moody_face(), path) as face, pytest.raises(UnencodablePost):
        face.post(PostData("birds"))
    assert [e.state for e in read_journal(path)] == ["refused"]


def test_the_same_key_posts_once_and_gives_the_same_id(path):
    platform = OnceFace()
    for _ in range(2):
        with JournaledFace(platform, path) as face:
            assert face.post(PostData("hello", key=5)) == 0
    assert platform.sent == [5]


def test_a_key_belongs_to_one_post(path):
    with JournaledFace(OnceFace(), path) as face:
        face.post(PostData("hello", key=5))
        with pytest.raises(
            ValueError, match="key 5 belongs to another post in the journal, 'hello'"
        ):
            face.post(PostData("bye", key=5))


def test_the_first_and_the_last_key_are_taken(path):
    with JournaledFace(OnceFace(), path) as face:
        assert [face.post(PostData(key, key=key)) for key in (0, 2**53 - 1)] == [0, 1]


@pytest.mark.parametrize("key", [-1, 2**53, 1.5, True, "5", np.int64(5)])
def test_what_is_no_key_is_refused(path, key):
    with JournaledFace(OnceFace(), path) as face:
        with pytest.raises(ValueError, match="key must be an integer of unix microseconds"):
            face.post(PostData("hello", key=key))
        assert not list(face.journal.entries())


@pytest.mark.parametrize(
    "x", [object(), {1: 2}, UUID(int=1), 10**5000], ids=lambda x: type(x).__name__
)
def test_a_post_that_cannot_be_stored_is_not_sent(path, x):
    platform = OnceFace()
    with JournaledFace(platform, path) as face, pytest.raises(TypeError, match="was not sent"):
        face.post(PostData(x))
    assert not platform.sent


def test_an_id_that_cannot_be_stored_is_told(path):
    with JournaledFace(OnceFace(make_id=ID_MAKERS["UUID"]), path) as face:
        with pytest.raises(TypeError, match=r"its id cannot be journaled: UUID.*allowed are"):
            face.post(PostData("hello"))
        assert [e.state for e in face.journal.entries()] == ["in doubt"]


def test_what_was_journaled_has_happened_so_it_never_starts_over(path):
    with JournaledFace(moody_face(), path) as face:
        assert find(face, Simulated) is None
        assert face.truth(face.post(PostData("dogs")))[0] == 1 * face.unwrapped.truth(0)[0]


def test_an_environment_plays_on_it_and_late_scores_are_journaled(path):
    platform = OnceFace(asks=lambda number: number % 2)
    codec = moody_face().codec
    platform.score_of = len
    with JournaledFace(platform, path) as face:
        env = FaceVectorEnv(face, 4, codec, wait=False)
        env.reset()
        env.step(np.zeros(4, np.int64))
        assert [e.score for e in face.journal.entries()] == [4, None, 4, None]
        env.step(np.ones(4, np.int64))
        assert [e.score for e in face.journal.entries()] == [4, 4, 4, 4, 4, None, 4, None]


def test_no_secret_of_a_failing_platform_gets_into_a_file(path):
    class Leaky(OnceFace):
        def post(self, data):
            raise ConnectionResetError(self.token)

        score = scrap = post

    with JournaledFace(RetryingFace(Leaky(), attempts=2, clock=unix_clock()), path) as face:
        for call in (lambda: face.post(PostData("x")), face.settle, lambda: face.score(0)):
            with pytest.raises((ConnectionResetError, TypeError)):
                call()
        files = list(path.parent.iterdir())
        assert len(files) == 4, files  # the lock, the database and its two helpers
        assert not [file for file in files if TOKEN.encode() in file.read_bytes()]
        assert TOKEN not in repr(face)


def test_closing_lets_others_in(path):
    with JournaledFace(OnceFace(), path), pytest.raises(StorageError, match="is in use"):
        JournaledFace(OnceFace(), path)
    JournaledFace(OnceFace(), path).close()


moves = st.sampled_from(["post", "lose", "refuse", "restart", "settle"])


@given(st.lists(moves, max_size=25))
def test_whatever_fails_in_whatever_order_every_post_is_made_once(folder, moves):
    path, platform = folder / str(next(FRESH)), OnceFace()
    face = JournaledFace(platform, path)
    posted = []
    for number, move in enumerate(moves):
        if move == "restart":
            face.close()
            face = JournaledFace(platform, path)
        elif move == "settle":
            face.settle()
        else:
            posted.append(number)
            platform.lose = move == "lose"
            platform.refuse = (*platform.refuse, *([number] if move == "refuse" else []))
            try:
                face.post(PostData(number))
            except (ConnectionResetError, PostRefused):
                platform.lose = 0
    with face:
        face.settle()
    assert contents(platform) == [x for x in posted if x not in platform.refuse]
    entries = read_journal(path)
    assert [e.post.x for e in entries] == posted
    assert [e.post_id for e in entries if e.state == "made"] == list(range(len(platform.posts)))
    assert [e.post.x for e in entries if e.state == "refused"] == list(platform.refuse)


def test_a_simulated_face_is_given_again_what_its_last_process_made(path):
    posts = [PostData(x) for x in ["cats", "dogs", "news", "cats"]]
    calm = moody_face(seed=1)
    scores = [calm.score(calm.post(post)) for post in posts]
    found = []
    for post in posts:
        with JournaledFace(moody_face(seed=1), path) as face:
            found.append(face.score(face.post(post)))
    assert found == scores


def test_a_journal_of_another_simulated_face_is_refused(path):
    used = moody_face()
    used.post(PostData("cats"))
    with JournaledFace(used, path) as face:
        face.post(PostData("dogs"))
    with pytest.raises(ValueError, match="is the journal of another simulated Face: its post 1 is"):
        JournaledFace(moody_face(), path)
    assert len(read_journal(path)) == 1


def test_a_journal_that_could_not_be_opened_for_one_face_is_free_for_the_next(path):
    with JournaledFace(moody_face(0), path) as face:
        face.post(PostData("cats"))

    class Renumbered(type(face.unwrapped)):
        def post(self, data):
            return 100 + super().post(data)

    with pytest.raises(ValueError, match="another simulated Face"):
        JournaledFace(Renumbered(moody_face(0).audience, 0), path)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(UserWarning, match="not idempotent"):
            JournaledFace(WallFace(), path)
    with JournaledFace(moody_face(0), path) as face:
        assert len(list(face.journal.entries())) == 1
