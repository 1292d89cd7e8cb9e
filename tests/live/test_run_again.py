"""A run or a trainer that failed is called again, the same object, and goes on."""

from collections import Counter
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from face_parts import OnceFace, SettableClock, unix_clock
from gymnasium.spaces import Discrete
from gymnasium.vector import AutoresetMode, SyncVectorEnv, VectorWrapper
from hypothesis import given, settings
from hypothesis import strategies as st
from parts import WallFace

from kilroy_gym import FaceEnv, FaceError, FaceVectorEnv, KilroyModule, KilroyTrainer, PostData
from kilroy_gym.adapters import ModuleAgent
from kilroy_gym.codecs import CategoricalCodec
from kilroy_gym.faces import FaceWrapper, ReviewedFace
from kilroy_gym.live import LiveRun

FAULTS = ("before the post", "after the post", "score")
BREAKS = (ConnectionError("no network"), KeyboardInterrupt())


class Learner(KilroyModule):
    """Writes numbers, and keeps what it learned, by draft."""

    def __init__(self):
        self.written, self.learned = 0, []

    def generate(self):
        self.written += 1
        return f"draft {self.written}", PostData(self.written % 10)

    def mimic(self, posts):
        return self

    def reinforce(self, scores):
        self.learned += scores.items()
        return self

    def state(self):
        return {"written": self.written, "learned": list(self.learned)}

    def set_state(self, state):
        self.written, self.learned = state["written"], list(state["learned"])


class Breaking:
    """Makes a Face fail at the calls with certain numbers."""

    def __init__(self, *args, breaks=(), **kwargs):
        super().__init__(*args, **kwargs)
        self.breaks = list(breaks)  # (what fails, at which of its calls, how)
        self.calls = Counter()

    def _break(self, what):
        self.calls[what] += 1
        for each in self.breaks:
            if each[:2] == (what, self.calls[what]):
                self.breaks.remove(each)
                raise each[2]

    def post(self, data):
        self._break("before the post")
        post_id = super().post(data)
        self._break("after the post")
        return post_id

    def score(self, post_id):
        self._break("score")
        return super().score(post_id)


class BreakingOnce(Breaking, OnceFace):
    pass


class BreakingWall(Breaking, WallFace):
    def wait(self, seconds):
        """Its scores come when they are asked for often enough, and not after a while."""


def until_done(play):
    """Calls again whatever was raised; returns how often that was."""
    for count in range(20):
        try:
            play()
        except (FaceError, KeyboardInterrupt):
            continue
        return count
    raise AssertionError("it never goes on")


def check_all_learned(module, contents, posts):
    """Every draft was posted once, and learned from once with the score of its own post."""
    assert contents == [number % 10 for number in range(1, posts + 1)]
    expected = {f"draft {number}": float(number % 10) for number in range(1, posts + 1)}
    assert dict(module.learned) == expected
    assert len(module.learned) == posts


breaks = st.lists(
    st.tuples(st.sampled_from(FAULTS), st.integers(1, 31), st.sampled_from(BREAKS)), max_size=4
)


@settings(max_examples=15)  # each writes two files durably
@given(breaks, st.integers(0, 12))
def test_a_live_run_that_failed_goes_on_in_the_same_object(tmp_path_factory, breaks, late):
    face = BreakingOnce(breaks=breaks, asks=lambda number: late * (number % 3 == 0))
    directory = tmp_path_factory.mktemp("run")
    run = LiveRun(face, Learner(), directory, 10, 0.0, clock=unix_clock())
    until_done(lambda: run.run(30))
    run.close()
    assert run.posts == 30
    check_all_learned(run.module, [post.x for post in face.posts], 30)


def only_small(post):
    return "too great" if post.x > 7 else None


@settings(max_examples=15)  # each writes two files durably
@given(breaks)
def test_refused_posts_are_learned_from_once_too(tmp_path_factory, breaks):
    face = BreakingOnce(breaks=breaks)
    directory = tmp_path_factory.mktemp("run")

    def around(inside):
        return ReviewedFace(inside, [only_small])

    run = LiveRun(face, Learner(), directory, 10, 0.0, around=around, clock=unix_clock())
    until_done(lambda: run.run(30))
    run.close()
    wanted = [number % 10 for number in range(1, 31)]
    assert [post.x for post in face.posts] == [x for x in wanted if x <= 7]
    assert [
        score for _, score in sorted(run.module.learned, key=lambda each: int(each[0][6:]))
    ] == [x if x <= 7 else -1.0 for x in wanted]


unaccepted = st.lists(
    st.tuples(
        st.sampled_from(["before the post", "score"]), st.integers(1, 31), st.sampled_from(BREAKS)
    ),
    max_size=4,
)  # without a journal nobody knows of a post whose answer was lost


@given(unaccepted, st.booleans(), st.integers(0, 5))
def test_a_trainer_on_a_face_goes_on(breaks, wait, late):
    face = BreakingWall(breaks=breaks, asks=lambda number: late * (number % 3 == 0))
    trainer = KilroyTrainer(face, Learner())
    module, left = trainer.module, 30

    def play():
        nonlocal left

        def count(played):
            nonlocal left
            left -= len(played.post_ids)

        if left:
            trainer.run(posts=left, post_rate=0, wait=wait, callback=count)
        else:
            trainer.agent.finish()

    until_done(play)
    check_all_learned(module, [post.x for post in face.posts], 30)


@given(unaccepted, st.booleans())
def test_a_trainer_on_an_environment_goes_on(breaks, rounds):
    face, codec = BreakingWall(breaks=breaks), CategoricalCodec(range(10))
    env = FaceVectorEnv(face, 5, codec, wait=False) if rounds else FaceEnv(face, codec)
    trainer = KilroyTrainer(env, Learner())
    made = []

    def play():
        trainer.run(posts=30 - len(made), callback=lambda played: made.extend(played.post_ids))

    def play_or_finish():
        play() if len(made) < 30 else trainer.agent.finish()

    until_done(play_or_finish)
    check_all_learned(trainer.module, [post.x for post in face.posts], 30)


@pytest.mark.parametrize("how", BREAKS)
@pytest.mark.parametrize("call", range(1, 9))
@pytest.mark.parametrize("make", [FaceEnv, lambda face: FaceVectorEnv(face, 3)])
def test_what_is_observed_may_fail_without_losing_the_post_before(make, call, how):
    class Shows(BreakingWall):
        observation_space = Discrete(2)

        def observe(self, count):
            self._break("observe")
            return np.zeros(count, np.int64)

    face = Shows(breaks=[("observe", call, how)])
    trainer, made = KilroyTrainer(make(face), Learner()), []

    def play():
        if len(made) < 30:
            trainer.agent.learn(30 - len(made), lambda played: made.extend(played.post_ids))

    try:
        play()
    except (FaceError, ConnectionError, KeyboardInterrupt):
        play()
    check_all_learned(trainer.module, [post.x for post in face.posts], 30)


class Interrupted(Learner):
    """Is interrupted once, at a call of ``reinforce`` or of ``metrics``."""

    def __init__(self, method, call, how):
        super().__init__()
        self.method, self.left, self.how = method, call, how

    def _count(self, method):
        self.left -= method == self.method
        if self.left == 0:
            self.left = -1
            raise self.how

    def reinforce(self, scores):
        self._count("reinforce")
        return super().reinforce(scores)

    def metrics(self):
        self._count("metrics")
        return {}


@pytest.mark.parametrize("how", BREAKS)
@pytest.mark.parametrize("method", ["reinforce", "metrics"])
@pytest.mark.parametrize("call", [1, 2, 3, 4])
@pytest.mark.parametrize("live", [False, True])
def test_what_a_module_was_learning_when_it_was_interrupted_is_learned(
    tmp_path, live, call, method, how
):
    face = OnceFace(asks=lambda number: 40 * (number % 3 == 0), clock=unix_clock())
    module, made = Interrupted(method, call, how), []
    if live:
        run = LiveRun(face, module, tmp_path, 10, 0.0, clock=unix_clock())
        play = partial(run.run, 30, lambda played: None)
    else:
        env = FaceVectorEnv(face, 10, wait=False, clock=unix_clock())
        agent = ModuleAgent(module, env)

        def play():
            done = len(face.posts) // 10 * 10
            agent.learn(30 - done, made.append) if done < 30 else agent.finish()

    for _ in range(3):
        try:
            play()
        except (ConnectionError, KeyboardInterrupt):
            continue
    if live:
        assert run.posts == 30
        run.close()
    elif made:
        agent.finish()
    check_all_learned(module, [post.x for post in face.posts], 30)


@given(unaccepted)
def test_slots_of_their_own_on_one_face_go_on(breaks):
    face, made = BreakingWall(breaks=breaks), []
    env = SyncVectorEnv([lambda: FaceEnv(face)] * 5, autoreset_mode=AutoresetMode.SAME_STEP)
    agent = ModuleAgent(Learner(), env)

    def play():
        if len(made) < 30:
            agent.learn(30 - len(made), lambda played: made.extend(played.post_ids))

    until_done(play)
    check_all_learned(agent.module, [post.x for post in face.posts], 30)


def test_a_wrapper_that_fails_after_a_post_does_not_have_it_made_again():
    class Fails(VectorWrapper):
        failed = False

        def step(self, actions):
            told = super().step(actions)
            if not self.failed:
                self.failed = True
                raise OSError("disk full")
            return told

    face = WallFace()
    agent = ModuleAgent(Learner(), Fails(FaceVectorEnv(face, 5)))
    with pytest.raises(OSError, match="disk full"):
        agent.learn(10)
    agent.learn(10)
    check_all_learned(agent.module, [post.x for post in face.posts], 10)


def test_a_pause_that_was_interrupted_is_slept_to_its_end_only():
    class Impatient(type(unix_clock())):
        sleeps = 0

        def sleep(self, seconds):
            self.sleeps += 1
            if self.sleeps == 5:
                self.now += seconds / 4
                raise KeyboardInterrupt
            super().sleep(seconds)

    clock = Impatient()
    face = WallFace(clock=clock)
    env = FaceVectorEnv(face, 10, post_rate=8.0, clock=clock)
    trainer = KilroyTrainer(env, Learner())
    until_done(lambda: trainer.run(steps=1))
    assert face.made_at == [8.0 * number for number in range(10)]


@pytest.mark.parametrize("wrong", [{"post_rate": -1}, {"around": lambda face: 5}])
def test_after_a_constructor_that_failed_the_right_call_works(tmp_path, wrong):
    with pytest.raises((ValueError, TypeError)):
        LiveRun(OnceFace(), Learner(), tmp_path, **wrong)
    LiveRun(OnceFace(), Learner(), tmp_path).close()


@pytest.mark.parametrize("off", [-1.7e9, 2.0e8])
def test_a_clock_that_is_set_changes_neither_a_pause_nor_a_delay(tmp_path, off):
    class Setting(SettableClock):
        def sleep(self, seconds):
            super().sleep(seconds)
            self.off = off if 30 < self.now < 60 else 0.0

    clock = Setting()
    face = OnceFace(clock=clock)
    made = []
    face.post, post = lambda data: (made.append(clock.now), post(data))[1], face.post
    run = LiveRun(face, Learner(), tmp_path, 10, 5.0, 25.0, clock=clock)
    run.run(20)
    run.close()
    assert made == [5.0 * number for number in range(20)]
    assert clock.now == 120.0
    assert len(run.module.learned) == 20


class Tagging(FaceWrapper):
    """Makes a new post, as anybody would at first."""

    def post(self, data):
        return self.face.post(PostData(data.x))


class Replacing(FaceWrapper):
    def post(self, data):
        return self.face.post(replace(data, x=data.x + 100))


def test_a_wrapper_that_makes_a_new_post_is_refused_before_anything_is_sent(tmp_path):
    face = OnceFace()
    run = LiveRun(face, Learner(), tmp_path, around=Tagging, clock=unix_clock())
    with pytest.raises(FaceError, match=r"dataclasses.replace\(data, x=...\)"):
        run.run(10)
    run.close()
    assert face.posts == []


def test_a_wrapper_that_replaces_the_content_is_fine(tmp_path):
    face = OnceFace()
    run = LiveRun(face, Learner(), tmp_path, around=Replacing, clock=unix_clock())
    run.run(10)
    run.close()
    assert [post.x for post in face.posts] == [number % 10 + 100 for number in range(1, 11)]
