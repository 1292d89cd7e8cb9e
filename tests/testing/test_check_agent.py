"""What `check_agent` finds."""

import json

import gymnasium as gym
import numpy as np
import pytest
from broken import one_promise_broken, promises_broken
from parts import MoodyAudience, WallFace, moody_face

from kilroy_gym import FaceEnv, ModuleAgent, PostData, module_for
from kilroy_gym.adapters import load_agent_file, roster
from kilroy_gym.audiences import BernoulliAudience
from kilroy_gym.codecs import BinaryCodec
from kilroy_gym.envs import FaceVectorEnv
from kilroy_gym.envs.suite import AUDIENCES
from kilroy_gym.faces import SimulatedFace
from kilroy_gym.interfaces import Round
from kilroy_gym.modules import BernoulliModule, CategoricalModule
from kilroy_gym.testing import check_agent


class Greedy:
    """Keeps every promise with the four methods alone: plays rounds of its own."""

    def __init__(self, env):
        self.env = env
        self.p = 0.5
        self.rng = np.random.default_rng(0)

    def predict(self, observation, state=None, episode_start=None, deterministic=False):
        batch = np.shape(observation)[:-1]
        return (self.rng.random(batch) < self.p).astype(np.int64), state

    def mimic(self, posts):
        self.p = float(np.mean([post.x for post in posts]))

    def learn(self, total_timesteps, callback=None, progress_bar=False):
        observation, _ = self.env.reset()
        number = 0
        while (number + 1) * 4 <= total_timesteps:
            number += 1
            made = [self.made(observation) for _ in range(4)]
            ids, posts, scores = zip(*made, strict=True)
            if callback and callback(Round(number, ids, posts, scores)) is False:
                return self
        return self

    def made(self, observation):
        action, _ = self.predict(observation)
        _, score, _, _, info = self.env.step(int(action))
        self.env.reset()
        return info["post_id"], PostData(bool(action)), score

    def save(self, path):
        path.write_text(json.dumps(self.p))


def bernoulli():
    return gym.make("Kilroy-Bernoulli-v0")


# --- what is right ------------------------------------------------------------------------


def test_four_methods_are_enough():
    env = bernoulli()
    assert check_agent(Greedy(env), env) is None


@pytest.mark.parametrize("env_id", AUDIENCES)
@pytest.mark.parametrize("make", [gym.make, lambda env_id: gym.make_vec(env_id, 4)])
def test_a_module_keeps_an_agents_promises_on_every_environment(env_id, make):
    env = make(env_id)
    check_agent(ModuleAgent(module_for(env, seed=0), env), env)


@pytest.mark.parametrize("name", ["module", "thompson", "uniform", "dqn"])
def test_the_agents_of_the_roster_keep_their_promises(name):
    env = gym.make_vec("Kilroy-Topics-v0", 2)
    agent = load_agent_file(roster()[name])(env, 0)
    check_agent(agent if hasattr(agent, "learn") else ModuleAgent(agent, env), env)


@pytest.mark.parametrize(
    ("env_id", "make"),
    [
        ("Kilroy-Bernoulli-v0", gym.make),
        ("Kilroy-Timing-v0", lambda env_id: gym.make_vec(env_id, 2)),
        ("Kilroy-Tone-v0", lambda env_id: gym.make_vec(env_id, 2)),
        ("Kilroy-ZigzagSteps-v0", lambda env_id: gym.make_vec(env_id, 2)),
    ],
)
def test_a_model_keeps_an_agents_promises(env_id, make):
    from stable_baselines3 import PPO

    from kilroy_gym.adapters.sb3 import SB3Agent

    env = make(env_id)
    slots = getattr(env, "num_envs", 1)
    check_agent(SB3Agent.of(PPO, env, 0, n_steps=4, batch_size=4 * slots, n_epochs=1), env)


@pytest.mark.parametrize("wait", [True, False])
def test_scores_may_come_late(wait):
    env = gym.make_vec("Kilroy-Delayed-v0", 4, wait=wait)
    check_agent(ModuleAgent(module_for(env, seed=0), env), env)


def test_actions_may_be_posts():
    env = FaceVectorEnv(SimulatedFace(BernoulliAudience(), 0), 4)
    check_agent(ModuleAgent(BernoulliModule(seed=0), env), env)


def test_separate_audiences_are_watched_as_well():
    env = gym.make_vec(
        "Kilroy-Bernoulli-v0",
        1,
        vectorization_mode="sync",
        vector_kwargs={"autoreset_mode": gym.vector.AutoresetMode.SAME_STEP},
    )
    check_agent(ModuleAgent(BernoulliModule(seed=0), env), env)


def test_the_environment_is_as_it_was_afterwards():
    env = bernoulli()
    before = set(vars(env.unwrapped))
    check_agent(Greedy(env), env)
    assert "step" not in vars(env.unwrapped)
    assert before <= set(vars(env.unwrapped))


# --- what is broken -----------------------------------------------------------------------


def too_many(self, total_timesteps, callback=None, progress_bar=False):
    return Greedy.learn(self, total_timesteps + 4, callback)


def silent(self, total_timesteps, callback=None, progress_bar=False):
    return Greedy.learn(self, total_timesteps)


def unstoppable(self, total_timesteps, callback=None, progress_bar=False):
    return Greedy.learn(self, total_timesteps, lambda played: callback(played) or None)


def nothing(self, total_timesteps, callback=None, progress_bar=False):
    return self


def reporting(change):
    def learn(self, total_timesteps, callback=None, progress_bar=False):
        def changed(played):
            return callback(change(played))

        return Greedy.learn(self, total_timesteps, changed)

    return learn


def other(**changes):
    return reporting(
        lambda r: Round(**{**{name: getattr(r, name) for name in
        ("number", "post_ids", "posts", "scores")}, **{n: c(r) for n, c in changes.items()}})
    )  # fmt: skip


def posting(self, observation, state=None, episode_start=None, deterministic=False):
    self.env.reset()
    self.env.step(1)
    return Greedy.predict(self, observation, state)


def keeping(self, posts):
    posts[0].x = not posts[0].x


async def later(self, path):
    return None


BROKEN = {
    "no methods": (
        {"learn": None, "save": None},
        "it has no learn and save: an agent has predict, mimic, learn and save",
    ),
    "names of its own": (
        {"predict": lambda self, obs, state=None, start=None, deterministic=False: (0, None)},
        "predict cannot be called as predict(observation, state=None, episode_start=None",
    ),
    "an observation alone": (
        {"predict": lambda self, observation: (0, None)},
        "take these arguments by these names",
    ),
    "learn without callback": (
        {"learn": lambda self, total_timesteps: self},
        "learn cannot be called as learn(total_timesteps, callback=None, progress_bar=False)",
    ),
    "async": ({"save": later}, "async: save; not async: predict, mimic and learn"),
    "half a mover": (
        {"set_env": lambda self, env, update_rate=None: None},
        "it has set_env but not rollout and update_rate",
    ),
    "half a checkpoint": (
        {"set_state": lambda self, state: None},
        "it has set_state but not state: Checkpointable takes both",
    ),
    "an action alone": (
        {"predict": lambda self, observation, state=None, episode_start=None,
                    deterministic=False: np.int64(0)},
        "return (action, state), or for a batch (actions, state)",
    ),
    "an action outside": (
        {"predict": lambda self, observation, state=None, episode_start=None,
                    deterministic=False: (np.full(np.shape(observation)[:-1], 2), None),
         "made": lambda self, observation: Greedy.made(Greedy(self.env), observation)},
        "gave the action array(2), which is not in Discrete(2)",
    ),
    "one action for a batch": (
        {"predict": lambda self, observation, state=None, episode_start=None,
                    deterministic=False: (np.int64(0), None)},
        "give 3 actions, each in Discrete(2)",
    ),
    "a predict that posts": (
        {"predict": posting,
         "made": lambda self, observation: Greedy.made(Greedy(self.env), observation)},
        "predict made 3 posts: only learn may post",
    ),
    "a mimic that posts": (
        {"mimic": lambda self, posts: self.env.step(1)},
        "mimic made 2 posts: only learn may post",
    ),
    "a mimic that changes posts": ({"mimic": keeping}, "changed the posts that it was given"),
    "a mimic of contents": (
        {"mimic": lambda self, posts: posts.mean()},
        "take a list of at least one post, or raise NotImplementedError",
    ),
    "a budget that is passed": ({"learn": too_many}, "total_timesteps is a hard ceiling"),
    "no posts": ({"learn": nothing}, "made 0 posts on env: make the agent on this very"),
    "no callback": ({"learn": silent}, "call it with a Round after every round"),
    "no stop": ({"learn": unstoppable}, "more posts after callback had returned False"),
    "a number in place of a round": (
        {"learn": reporting(lambda played: 7)}, "called callback with 7: give it a Round",
    ),
    "rounds from 0": ({"learn": other(number=lambda r: r.number - 1)}, "count from 1"),
    "ids too few": ({"learn": other(post_ids=lambda r: r.post_ids[1:])}, "3 post_ids, 4 posts"),
    "ids of its own": (
        {"learn": other(post_ids=lambda r: [f"p{each}" for each in r.post_ids])},
        "learn reported the post_ids ['p",
    ),
    "posts that were not sent": (
        {"learn": other(posts=lambda r: [PostData(not post.x) for post in r.posts])},
        "report every post once, in order",
    ),
    "another score": (
        {"learn": other(scores=lambda r: [score + 1 for score in r.scores])},
        "report the reward of the post",
    ),
    "a save of nothing": ({"save": lambda self, path: None}, "save(path) wrote nothing to path"),
    "a save elsewhere": (
        {"save": lambda self, path: (path / "x").write_text("x")},
        "write the agent to that file",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("members", "line"), BROKEN.values(), ids=BROKEN)
def test_it_names(members, line):
    env = bernoulli()
    lines = promises_broken(check_agent, type("Broken", (Greedy,), members)(env), env)
    assert any(line in found for found in lines), lines


def test_an_agent_of_another_environment_is_named():
    lines = promises_broken(check_agent, Greedy(bernoulli()), bernoulli())
    assert any("made 0 posts on env: make the agent on this very environment" in x for x in lines)


def test_a_live_face_is_refused_before_anything_is_posted():
    face = WallFace()
    env = FaceEnv(face, BinaryCodec())
    with pytest.raises(ValueError, match=r"around a simulated Face.*nothing was posted"):
        check_agent(Greedy(env), env)
    assert face.posts == []


def test_what_is_no_kilroy_environment_is_refused():
    env = gym.make("CartPole-v1")
    with pytest.raises(TypeError, match="not a Kilroy environment"):
        check_agent(Greedy(env), env)


def test_a_class_is_no_agent():
    assert "hand in an instance" in one_promise_broken(check_agent, Greedy, bernoulli())


def test_an_agent_that_cannot_be_saved_or_cannot_mimic_may_say_so():
    class Plain(Greedy):
        def save(self, path):
            raise NotImplementedError("no")

        def mimic(self, posts):
            raise NotImplementedError("no")

    env = bernoulli()
    check_agent(Plain(env), env)


def test_a_wrapped_environment_is_watched_inside():
    face = moody_face()
    env = gym.wrappers.TransformReward(FaceEnv(face, face.codec), lambda score: score)
    check_agent(ModuleAgent(CategoricalModule(MoodyAudience().codec.choices, seed=0), env), env)
