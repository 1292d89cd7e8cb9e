import copy
from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest
from face_parts import TOKEN, OnceFace, ScoredFace, contents, unix_clock
from gymnasium.spaces import Box, Discrete
from hypothesis import given
from hypothesis import strategies as st
from parts import WallFace, moody_face

from kilroy_gym import FaceEnv, FaceVectorEnv, KilroyFace, PostData, module_for
from kilroy_gym.faces import (
    DryRunFace,
    FaceWrapper,
    JournaledFace,
    RateLimitedFace,
    RetryingFace,
    ReviewedFace,
)
from kilroy_gym.faces.wrappers.base import ORDER, PASSED_ON, layers
from kilroy_gym.interfaces import (
    KnowsTruth,
    Observes,
    PassesTime,
    ScrapsScored,
    Simulated,
    find,
)
from kilroy_gym.modules import BernoulliModule

VALUES = {name: (lambda *args, name=name: (name, args)) for name in PASSED_ON}
VALUES["observation_space"] = Box(0, 1, (2,))


class Doubled(FaceWrapper):
    def post(self, data):
        return self.face.post(PostData(data.x * 2))


class Kept(FaceWrapper):
    passes_key = True

    def post(self, data):
        return self.face.post(replace(data, x=data.x * 2))


@given(st.sets(st.sampled_from(sorted(set(PASSED_ON.values()), key=str))), st.integers(1, 3))
def test_what_a_face_can_do_besides_its_wrappers_can_do_and_nothing_else(capabilities, depth):
    names = {name for name, capability in PASSED_ON.items() if capability in capabilities}
    wrapper = face = WallFace()
    for name in names:
        setattr(face, name, VALUES[name])
    for _ in range(depth):
        wrapper = FaceWrapper(wrapper)
    assert {name for name in PASSED_ON if hasattr(wrapper, name)} == names
    assert {each for each in PASSED_ON.values() if find(wrapper, each)} == capabilities
    assert all(getattr(wrapper, name) is VALUES[name] for name in names)


class Shows(WallFace):
    observation_space = Discrete(3)

    def observe(self, count):
        return np.zeros(count, np.int64)


class ShowsOther(FaceWrapper):
    def observe(self, count):
        return np.full(count, 2)


@pytest.mark.parametrize(
    "around",
    [
        lambda face: face,
        FaceWrapper,
        ReviewedFace,
        lambda face: RetryingFace(type("Subclass", (ShowsOther,), {})(face.face)),
    ],
)
def test_a_wrapper_that_overrides_observe_alone_is_what_agents_see(around):
    observation, _ = FaceEnv(around(ShowsOther(Shows()))).reset()
    assert observation.tolist() == [0, 0, 1]
    assert find(ShowsOther(WallFace()), Observes) is None


def test_an_observation_is_asked_for_again():
    class Shaky(Shows):
        answers = iter([TimeoutError("slow"), np.array([1])])

        def observe(self, count):
            answer = next(self.answers)
            if isinstance(answer, Exception):
                raise answer
            return answer

    observation, _ = FaceEnv(RetryingFace(Shaky(), clock=unix_clock())).reset()
    assert observation.tolist() == [0, 1, 0]


def test_a_wrapper_brings_its_own_module():
    class Brings(FaceWrapper):
        module = "kilroy_gym.adapters.own_modules:bernoulli_module"

    assert isinstance(module_for(FaceEnv(Brings(moody_face()))), BernoulliModule)


@pytest.mark.parametrize("kind", [WallFace, FaceWrapper])
def test_a_name_that_a_face_uses_for_something_else_is_no_capability(kind):
    face = kind() if kind is WallFace else kind(WallFace())
    face.wait, face.truth, face.restart, face.scrap_scored = 3.0, "news", False, True
    assert not any(find(face, each) for each in (KnowsTruth, PassesTime, ScrapsScored, Simulated))
    env = FaceEnv(face)
    env.reset(seed=0)
    assert env.step(PostData(5))[1] == 5


def test_many_layers_are_walked_once_each():
    face = moody_face()
    for _ in range(100):  # walked twice each, this would never end
        face = FaceWrapper(face)
    assert find(face, KnowsTruth) is face.unwrapped
    assert face.truth(face.post(PostData("cats"))) == (0.0, face.unwrapped.truth(0)[1])


def rewards(env, action):
    env.reset(seed=3)
    return [np.asarray(env.step(action)[1]).tolist() for _ in range(10)]


def test_an_environment_of_a_wrapped_face_is_that_of_the_face():
    plain, codec = moody_face(), moody_face().codec
    wrapped = FaceWrapper(FaceWrapper(moody_face()))
    assert rewards(FaceEnv(wrapped, codec), 2) == rewards(FaceEnv(plain, codec), 2)
    rounds = [FaceVectorEnv(face, 4, codec) for face in (wrapped, plain)]
    assert rewards(rounds[0], np.full(4, 2)) == rewards(rounds[1], np.full(4, 2))


def test_a_copy_of_a_wrapped_simulated_face_is_independent():
    wrapper = ReviewedFace(moody_face(), [lambda post: None])
    twin = copy.deepcopy(wrapper)
    scores = [twin.score(twin.post(PostData("dogs"))) for _ in range(5)]
    assert twin.unwrapped is not wrapper.unwrapped
    assert scores == [wrapper.score(wrapper.post(PostData("dogs"))) for _ in range(5)]


def test_what_is_inside_is_found():
    face = WallFace()
    inner = FaceWrapper(face)
    outer = FaceWrapper(inner)
    assert outer.face is inner
    assert outer.unwrapped is inner.unwrapped is face
    assert list(layers(outer)) == [outer, inner, face]


def test_batches_go_through_what_is_overridden():
    class Scores(FaceWrapper):
        def score(self, post_id):
            return self.face.score(post_id) + 100

    face = WallFace()
    wrapper = Scores(Doubled(face))
    ids = list(wrapper.post_many(PostData(x) for x in (1, 2)))
    assert contents(face) == [2, 4]
    assert dict(wrapper.score_many(ids)) == {0: 102.0, 1: 104.0}


def test_batches_go_to_the_face_inside_where_nothing_is_overridden():
    class Batching(WallFace):
        def post_many(self, posts):
            return [f"batch {post.x}" for post in posts]

        def score_many(self, post_ids):
            return [(post_id, 7.0) for post_id in post_ids]

    wrapper = FaceWrapper(Batching())
    assert wrapper.post_many([PostData(1)]) == ["batch 1"]
    assert wrapper.score_many([3]) == [(3, 7.0)]


def test_a_wrapper_that_may_lose_a_key_is_not_idempotent():
    face = OnceFace()
    assert not Doubled(face).idempotent
    assert Kept(face).idempotent
    assert [Kept(face).post(PostData(4, key=1)) for _ in range(2)] == [0, 0]
    assert contents(face) == [8]
    assert not Kept(WallFace()).idempotent


@pytest.mark.parametrize("depth", [0, 2])
def test_a_wrapper_overrides_what_a_face_can_do_besides_by_its_own_name(depth):
    class Pessimist(FaceWrapper):
        def truth(self, post_id):
            expected, best = self.face.truth(post_id)
            return expected - 1, best

    class Scored(FaceWrapper):
        def scrap_scored(self, limit=None):
            yield from ((i, post, 7.0) for i, post in self.face.scrap(limit))

    def around(face):
        for _ in range(depth):
            face = FaceWrapper(face)
        return face

    inner = moody_face()
    face = around(Scored(around(Pessimist(around(inner)))))
    post_id = face.post(PostData("dogs"))
    expected, best = inner.truth(post_id)
    assert find(face, KnowsTruth).truth(post_id) == (expected - 1, best)
    assert {score for _, _, score in find(face, ScrapsScored).scrap_scored(3)} == {7.0}
    env = FaceEnv(face, inner.codec)
    env.reset()
    info = env.step(1)[4]
    assert info["expected_score"] == inner.truth(info["post_id"])[0] - 1


@pytest.mark.parametrize("name", ["scrap", "score"])
def test_scores_of_scraped_posts_never_go_around_an_overridden_method(name):
    def other(self, *args):
        return getattr(self.face, name)(*args)

    plain = type("Other", (FaceWrapper,), {name: other})
    knowing = type("Knowing", (plain,), {"scrap_scored": lambda self, limit=None: iter([limit])})
    assert find(plain(ScoredFace()), ScrapsScored) is None
    assert list(knowing(ScoredFace()).scrap_scored(5)) == [5]


@pytest.mark.parametrize("limit", [None, 1, 4])
def test_the_wrappers_that_ship_let_the_scores_of_scraped_posts_through(wrappers, limit):
    face = wrappers(ORDER, ScoredFace())
    expected = list(ScoredFace().scrap_scored(limit))
    assert list(face.scrap_scored(limit)) == expected
    assert {score for _, _, score in list(face.scrap_scored())} >= {0.0, 0.5, None}


def test_the_repr_shows_classes_and_nothing_that_a_face_holds():
    assert repr(FaceWrapper(RetryingFace(OnceFace()))) == "<FaceWrapper<RetryingFace<OnceFace>>>"


def test_what_is_no_face_is_refused_without_being_shown():
    with pytest.raises(TypeError, match="must be a KilroyFace, got a str") as caught:
        FaceWrapper(TOKEN)
    assert TOKEN not in str(caught.value)


def test_closing_reaches_all_the_way_inside():
    class Closable(WallFace):
        closed = False

        def close(self):
            self.closed = True

    with FaceWrapper(FaceWrapper(Closable())) as wrapper:
        assert not wrapper.unwrapped.closed
    assert wrapper.unwrapped.closed
    FaceWrapper(WallFace()).close()  # where there is nothing to close that is no error


@pytest.fixture
def wrappers(tmp_path):
    makers = {
        "ReviewedFace": lambda face: ReviewedFace(face, [lambda post: None]),
        "DryRunFace": DryRunFace,
        "RateLimitedFace": lambda face: RateLimitedFace(face, tmp_path / "limit", per_hour=9),
        "JournaledFace": lambda face: JournaledFace(face, tmp_path / "journal"),
        "RetryingFace": RetryingFace,
    }
    made = []

    def build(names, face=None):
        """Puts wrappers around a Face, given from the outside in."""
        face = face or OnceFace()
        for name in reversed(names):
            face = makers[name](face)
            made.append(face)
        return face

    yield build
    for face in made:
        face.close()


def test_wrappers_in_the_right_order_are_idempotent(wrappers):
    assert wrappers(ORDER).idempotent


@pytest.mark.parametrize("pair", list(permutations(ORDER, 2)), ids="-".join)
def test_of_two_wrappers_only_one_order_is_taken(wrappers, pair):
    outer, inner = pair
    if ORDER.index(outer) < ORDER.index(inner):
        assert isinstance(wrappers(pair), KilroyFace)
    else:
        right = rf"make it {inner}\({outer}\(OnceFace\(...\)\)\)$"
        with pytest.raises(ValueError, match=rf"{outer} cannot go around {inner}.*{right}"):
            wrappers(pair)


@pytest.mark.parametrize("name", ORDER)
def test_a_wrapper_whose_order_matters_goes_in_once(wrappers, name):
    with pytest.raises(ValueError, match="each at most once"):
        wrappers([name, name])


def test_the_order_is_checked_through_wrappers_of_a_users_own():
    with pytest.raises(ValueError, match="RetryingFace cannot go around DryRunFace"):
        RetryingFace(FaceWrapper(DryRunFace(OnceFace())))


def test_a_layer_that_may_lose_a_key_is_refused_where_it_is_needed(tmp_path):
    with pytest.raises(ValueError, match="Doubled overrides post and does not say"):
        JournaledFace(Doubled(RetryingFace(OnceFace())), tmp_path / "journal")
    with pytest.raises(ValueError, match="set `passes_key = True` in Doubled"):
        RetryingFace(Doubled(OnceFace()))
    assert not list(tmp_path.iterdir())
    assert RetryingFace(Kept(OnceFace())).idempotent
