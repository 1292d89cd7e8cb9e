import numpy as np
import pytest
from face_parts import OnceFace, ScoredFace, contents, unix_clock
from gymnasium.utils.env_checker import check_env
from hypothesis import given
from hypothesis import strategies as st
from parts import WallFace, moody_face

from kilroy_gym import FaceEnv, PostData
from kilroy_gym.faces import DryRunFace, JournaledFace, RateLimitedFace, RefusedId, ReviewedFace
from kilroy_gym.faces.wrappers import reviewed as reviewed_module
from kilroy_gym.interfaces import PostRefused


def even_only(post):
    return f"{post.x} is odd" if post.x % 2 else None


@given(st.lists(st.integers(0, 9)), st.floats(-100, 100))
def test_a_refused_post_scores_the_penalty_and_is_never_sent(xs, penalty):
    face = WallFace()
    reviewed = ReviewedFace(face, [even_only], penalty)
    ids = list(reviewed.post_many(map(PostData, xs)))
    assert contents(face) == [x for x in xs if x % 2 == 0]
    assert len(set(ids)) == len(xs)
    for x, post_id in zip(xs, ids, strict=True):
        assert isinstance(post_id, RefusedId) == bool(x % 2)
        assert reviewed.score(post_id) == (penalty if x % 2 else x)
    assert dict(reviewed.score_many(ids)) == {one: reviewed.score(one) for one in ids}


def test_scores_are_asked_for_in_one_batch_without_the_refused():
    class Batching(WallFace):
        batches = ()

        def score_many(self, post_ids):
            self.batches += (list(post_ids),)
            return super().score_many(post_ids)

    face = Batching()
    reviewed = ReviewedFace(face, [even_only])
    ids = [reviewed.post(PostData(x)) for x in (1, 2, 3, 4)]
    list(reviewed.score_many(ids))
    list(reviewed.score_many(ids[:1]))
    assert face.batches == ([0, 1],)


def test_rules_are_asked_in_order_until_one_refuses():
    asked = []

    def rule(name, refusal):
        return lambda post: (asked.append(name), refusal)[1]

    reviewed = ReviewedFace(WallFace(), [rule("a", None), rule("b", "no"), rule("c", None)])
    reviewed.post(PostData(0))
    assert asked == ["a", "b"]


@pytest.mark.parametrize("answer", [True, False, 0])
def test_a_rule_that_gives_no_reason_stops_the_post(answer):
    def odd_rule(post):
        return answer

    face = WallFace()
    with pytest.raises(TypeError, match=rf"odd_rule returned {answer}"):
        ReviewedFace(face, [odd_rule]).post(PostData(0))
    assert not face.posts


def test_a_rule_must_be_a_function():
    with pytest.raises(TypeError, match="a rule must be a function of a post, got 'spam'"):
        ReviewedFace(WallFace(), ["spam"])


@given(st.lists(st.sampled_from(["a", "A ", "b", "c d", "C  D"])))
def test_repeats_are_refused_where_they_are_not_allowed(xs):
    face = WallFace(score_of=len)
    reviewed = ReviewedFace(face, allow_repeats=False)
    for x in xs:
        reviewed.post(PostData(x))
    plain = [" ".join(x.lower().split()) for x in xs]
    assert contents(face) == [x for n, x in enumerate(xs) if plain[n] not in plain[:n]]


@pytest.mark.parametrize("name", ["scrap", "scrap_scored"])
def test_scraped_posts_are_not_repeated(name):
    face = ScoredFace()
    reviewed = ReviewedFace(face, allow_repeats=False)
    assert [post.x for _, post, *_ in getattr(reviewed, name)(3)] == [True, False, False]
    assert isinstance(reviewed.post(PostData(True)), RefusedId)
    assert reviewed.post(PostData(1)) == 0


def test_the_latest_contents_are_remembered_and_no_more(monkeypatch):
    monkeypatch.setattr(reviewed_module, "REMEMBERED_CONTENTS", 3)
    reviewed = ReviewedFace(WallFace(), allow_repeats=False)
    assert [reviewed.post(PostData(x)) for x in (1, 2, 3, 4, 1)] == [0, 1, 2, 3, 4]
    assert isinstance(reviewed.post(PostData(4)), RefusedId)


def test_what_the_platform_refuses_scores_the_penalty_too():
    class Strict(WallFace):
        def post(self, data):
            raise PostRefused("too long")

    reviewed = ReviewedFace(Strict(), penalty=-3)
    assert reviewed.score(reviewed.post(PostData(0))) == -3


def test_the_same_key_has_the_same_fate():
    face = OnceFace()
    reviewed = ReviewedFace(face, [even_only], allow_repeats=False)
    assert reviewed.post(PostData(1, key=5)) == reviewed.post(PostData(1, key=5)) == RefusedId(5)
    assert reviewed.post(PostData(2, key=6)) == reviewed.post(PostData(2, key=6)) == 0
    assert contents(face) == [2]


def test_a_reviewed_simulated_face_passes_gymnasiums_checker():
    face = moody_face()
    reviewed = ReviewedFace(face, [lambda post: "no cats" if post.x == "cats" else None])
    check_env(FaceEnv(reviewed, face.codec), skip_render_check=True)


def test_starting_over_forgets_what_was_posted():
    face = moody_face()
    reviewed = ReviewedFace(face, allow_repeats=False)
    ids = []
    for _ in range(2):
        reviewed.restart(np.random.default_rng(0))
        ids.append([reviewed.post(PostData("cats")), reviewed.post(PostData("cats"))])
    assert ids == [[0, RefusedId(1)]] * 2


def test_the_truth_about_refused_posts_is_not_made_up():
    assert not hasattr(ReviewedFace(moody_face()), "truth")


@pytest.fixture
def open_journal(tmp_path):
    """Puts a review around a journal, as after each start of a process."""
    opened = []

    def start(face, rules=(), **settings):
        for one in opened:
            one.close()
        clock = unix_clock(1_700_000_000 + len(opened))
        journaled = JournaledFace(face, tmp_path / "journal", clock=clock)
        limited = RateLimitedFace(journaled, tmp_path / "limit", per_day=1000, clock=clock)
        opened.append(ReviewedFace(limited, rules, **settings))
        return opened[-1], journaled.journal

    yield start
    for one in opened:
        one.close()


def test_refused_posts_are_journaled_with_the_reason_and_the_penalty(open_journal):
    face = OnceFace()
    face.refuse = (4,)
    reviewed, journal = open_journal(face, [even_only], penalty=-7)
    ids = [reviewed.post(PostData(x)) for x in (1, 2, 4)]
    keys = [entry.key for entry in journal.entries()]
    assert ids == [RefusedId(keys[0]), 0, RefusedId(keys[2])]
    assert [(e.state, e.refusal, e.score) for e in journal.entries()] == [
        ("refused", "1 is odd", -7),
        ("made", None, None),
        ("refused", "4 is not for this platform", -7),
    ]


def test_what_was_agreed_to_before_a_crash_goes_out_after_it_without_another_review(open_journal):
    face = OnceFace()
    reviewed, _ = open_journal(face, allow_repeats=False)
    face.lose = 1
    with pytest.raises(ConnectionResetError):
        reviewed.post(PostData("hello", key=9))
    reviewed, journal = open_journal(face, [lambda post: "not any more"], allow_repeats=False)
    assert reviewed.post(PostData("hello", key=9)) == 0
    assert contents(face) == ["hello"]
    assert [entry.state for entry in journal.entries()] == ["made"]


def test_what_was_refused_before_a_restart_stays_refused(open_journal):
    face = OnceFace()
    reviewed, journal = open_journal(face, [even_only])
    reviewed.post(PostData(1, key=9))
    before = list(journal.entries())
    reviewed, journal = open_journal(face)
    assert reviewed.post(PostData(1, key=9)) == RefusedId(9)
    assert not face.posts
    assert list(journal.entries()) == before


def test_posts_of_earlier_runs_are_not_repeated(open_journal):
    face = OnceFace()
    reviewed, _ = open_journal(face, [even_only])
    reviewed.post(PostData(2)), reviewed.post(PostData(3))
    reviewed, _ = open_journal(face, allow_repeats=False)
    assert isinstance(reviewed.post(PostData(2)), RefusedId)
    assert reviewed.post(PostData(3)) == 1  # that one was refused, so nobody has seen it


def test_refusals_of_a_dry_run_are_not_journaled(tmp_path):
    with JournaledFace(OnceFace(), tmp_path / "journal") as journaled:
        reviewed = ReviewedFace(DryRunFace(journaled), [even_only])
        assert reviewed.post(PostData(1)) == RefusedId(1)
        assert not list(journaled.journal.entries())
