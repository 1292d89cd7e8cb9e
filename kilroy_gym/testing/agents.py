"""What an agent promises."""

import inspect
import warnings
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from gymnasium.vector import VectorEnv

from kilroy_gym.adapters.environments import kilroy_envs
from kilroy_gym.codecs import UnencodablePost
from kilroy_gym.codecs.base import short
from kilroy_gym.interfaces import (
    Agent,
    AnyEnv,
    Checkpointable,
    ClonesPosts,
    MovesToEnv,
    Observation,
    PlaysModule,
    PlaysOneFace,
    Round,
)
from kilroy_gym.post import AnyPost
from kilroy_gym.testing._promises import Promises, listed
from kilroy_gym.testing._values import close, equal, inside
from kilroy_gym.testing._watch import Watch

CAPABILITIES: dict[type, frozenset[str]] = {
    MovesToEnv: frozenset({"update_rate", "rollout"}),
    PlaysOneFace: frozenset({"env"}),
    Checkpointable: frozenset({"state"}),
    ClonesPosts: frozenset(),
    PlaysModule: frozenset(),
}
"""What an agent can also do, each with the members that mean nothing on their own."""
CALLS: dict[str, tuple[tuple[Any, ...], dict[str, Any]]] = {
    "predict(observation, state=None, episode_start=None, deterministic=False)": (
        (0,),
        {"state": None, "episode_start": None, "deterministic": False},
    ),
    "mimic(posts)": (([],), {}),
    "learn(total_timesteps, callback=None, progress_bar=False)": (
        (1,),
        {"callback": None, "progress_bar": False},
    ),
    "save(path)": (("path",), {}),
}
"""How every agent is called, with Stable-Baselines3's own names."""
USUAL_ROUND = 10


def check_agent(agent: Agent, env: AnyEnv) -> None:
    """Checks that an agent keeps what it promises, on the simulated environment that it plays.

    The agent learns and the environment's world moves on, so hand in ones that were made for the
    check.

    Args:
        agent: The agent.
        env: The environment that it plays: a Kilroy environment, wrapped or not.

    Raises:
        AssertionError: It breaks a promise; the message lists all that are broken.
        TypeError: ``env`` is no Kilroy environment.
        ValueError: Its Face is a live one; nothing is posted.
    """
    if not all(each.simulated for each in kilroy_envs(env)):
        raise ValueError(
            "check_agent lets the agent post, so env must be around a simulated Face (one with "
            "restart(rng)), such as gym.make('Kilroy-Bernoulli-v0'); nothing was posted"
        )
    promises = Promises(agent, object)
    promises.kind = "an Agent"
    _check_signatures(promises, agent)
    with promises.section(), Watch(env) as watch:
        if isinstance(agent, PlaysOneFace):
            advice = "make the agent on this very environment"
            promises.call("check_face(env)", agent.check_face, env, advice=advice)
        for check in (_check_predict, _check_mimic, _check_save):
            with promises.section():
                check(promises, agent, env)
            name = check.__name__.removeprefix("_check_")
            line = f"{name} made {len(watch.made)} posts: only learn may post"
            promises.keep(not watch.made, line)
            watch.made.clear()
        for learn in (_check_learn, _check_stop):
            with promises.section():
                learn(promises, agent, watch, _budget(agent, env))
    promises.settle()


def _check_signatures(promises: Promises, agent: Any) -> None:
    """Ends the check where a method is not there, or cannot be called as every agent is."""
    methods = {call: call.partition("(")[0] for call in CALLS}
    lacks = [name for name in methods.values() if not callable(getattr(agent, name, None))]
    if isinstance(agent, type):
        promises.broken(f"it is the class itself: hand in an instance, {promises.name}(...)")
    elif lacks:
        promises.broken(f"it has no {listed(lacks)}: an agent has {listed([*methods.values()])}")
    else:
        promises.check_plain(agent, [*methods.values()])
        for call, (positional, named) in CALLS.items():
            try:
                inspect.signature(getattr(agent, methods[call])).bind(*positional, **named)
            except TypeError as error:
                line = f"{methods[call]} cannot be called as {call}: {error}"
                promises.broken(f"{line}; take these arguments by these names")
        for capability, alone in CAPABILITIES.items():
            promises.check_whole(agent, capability, alone)
        return
    promises.settle()


def _budget(agent: Agent, env: AnyEnv) -> int:
    """Returns a number of posts that is no whole number of rounds, where rounds can be cut."""
    slots = env.num_envs if isinstance(env, VectorEnv) else 1
    rate = agent.update_rate if isinstance(agent, MovesToEnv) else max(slots, USUAL_ROUND)
    return 2 * rate + rate // 2


def _check_predict(promises: Promises, agent: Agent, env: AnyEnv) -> None:
    observation, _ = env.reset()
    if isinstance(env, VectorEnv):
        space, one, batch = env.single_action_space, observation[0], observation
    else:
        space, one, batch = env.action_space, observation, np.stack([observation] * 3)
    state = None
    for deterministic in (False, True):
        shown = f"predict({short(one)}, deterministic={deterministic})"
        action, state = _predict(promises, agent, shown, one, state, deterministic)
        line = f"{shown} gave the action {short(action)}, which is not in {space}"
        promises.keep(inside(space, action), f"{line}: give one action for one observation")
    shown = f"predict of a batch of {len(batch)} observations"
    actions, _ = _predict(promises, agent, shown, batch, None, False)
    right = f"give {len(batch)} actions, each in {space}"
    line = f"{shown} gave {short(actions)}: {right}"
    promises.need(np.ndim(actions) > 0 or isinstance(actions, list), line)
    promises.keep(len(actions) == len(batch) and all(inside(space, each) for each in actions), line)


def _predict(
    promises: Promises,
    agent: Agent,
    shown: str,
    observation: Observation,
    state: Any,
    deterministic: bool,
) -> tuple[Any, Any]:
    def predict() -> Any:
        return agent.predict(observation, state=state, deterministic=deterministic)

    advice = "return (action, state), or for a batch (actions, state)"
    found = promises.call(shown, predict, advice=advice)
    fits = isinstance(found, tuple) and len(found) == 2
    promises.need(fits, f"{shown} returned {short(found)}: {advice}")
    return found[0], found[1]


def _check_mimic(promises: Promises, agent: Agent, env: AnyEnv) -> None:
    inside, *_ = kilroy_envs(env)
    posts: list[AnyPost] = []
    for _, post in inside.scrap(USUAL_ROUND):
        try:
            if inside.codec is not None:
                inside.codec.encode(post.x)
        except UnencodablePost:
            continue
        posts.append(post)
    advice = "take a list of at least one post, or raise NotImplementedError"
    for batch in (posts[:1], posts):
        before = [post.x for post in batch]
        shown = f"mimic of {len(batch)} posts"
        lets = (NotImplementedError,)
        promises.call(shown, agent.mimic, batch, advice=advice, lets=lets)
        same = equal(before, [post.x for post in batch])
        promises.keep(same, f"{shown} changed the posts that it was given: change copies")


def _check_save(promises: Promises, agent: Agent, env: AnyEnv) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder, "agent")
        advice = "write the agent to that file"
        promises.call("save(path)", agent.save, path, advice=advice, lets=(NotImplementedError,))
        written = [each for each in Path(folder).glob("agent*") if each.stat().st_size]
        line = "save(path) wrote nothing to path, or to that with a suffix"
        promises.keep(bool(written), f"{line}: {advice}")


def _learn(
    promises: Promises, agent: Agent, budget: int, callback: Callable[[Round], bool | None] | None
) -> None:
    def learn() -> None:
        with warnings.catch_warnings():  # such as that the budget allows no update
            warnings.simplefilter("ignore")
            agent.learn(budget, callback)

    promises.call(f"learn({budget}, callback)", learn, advice="make at most so many posts")


def _check_learn(promises: Promises, agent: Agent, watch: Watch, budget: int) -> None:
    rounds: list[Any] = []
    _learn(promises, agent, budget, rounds.append)
    _check_ceiling(promises, watch, budget)
    line = f"learn({budget}, callback) made posts and never called callback"
    promises.need(bool(rounds), f"{line}: call it with a Round after every round")
    for played in rounds:
        line = f"learn called callback with {short(played)}"
        promises.need(isinstance(played, Round), f"{line}: give it a Round")
    numbers = [played.number for played in rounds]
    line = f"the rounds that learn reported had the numbers {short(numbers)}: count from 1"
    promises.keep(numbers == list(range(1, len(rounds) + 1)), line)
    for played in rounds:
        sizes = [len(played.post_ids), len(played.posts), len(played.scores)]
        line = f"round {played.number} has {sizes[0]} post_ids, {sizes[1]} posts, {sizes[2]} scores"
        promises.need(len(set(sizes)) == 1, f"{line}: give one of each per post")
    post_ids = [each for r in rounds for each in r.post_ids]
    in_order = watch.in_order_of(post_ids)
    for name, reported, made in (
        ("post_ids", post_ids, [m.post_id for m in in_order]),
        ("posts", [each.x for r in rounds for each in r.posts], [m.post.x for m in in_order]),
    ):
        line = f"learn reported the {name} {short(reported)}, and made were {short(made)}"
        advice = "report every post once, in order, as info['post_id'] and last_posts tell it"
        promises.keep(close(reported, made), f"{line}: {advice}")
    scores = [score for r in rounds for score in r.scores]
    for score, post in zip(scores, in_order, strict=False):
        line = f"learn reported the score {short(score)} for post {short(post.post_id)}, "
        fits = score is None or equal(score, post.score)
        promises.keep(fits, f"{line}whose reward was {post.score!r}: report the reward of the post")


def _check_ceiling(promises: Promises, watch: Watch, budget: int) -> None:
    made = len(watch.made)
    line = f"learn({budget}, callback) made {made} posts"
    advice = "total_timesteps is a hard ceiling, so end before a round that would pass it"
    promises.keep(made <= budget, f"{line}: {advice}")
    promises.need(made > 0, f"{line} on env: make the agent on this very environment")


def _check_stop(promises: Promises, agent: Agent, watch: Watch, budget: int) -> None:
    watch.made.clear()
    made_by: list[int] = []

    def stop(played: Round) -> bool:
        if played.post_ids:  # else it only brings scores that came late
            made_by.append(len(watch.made))
        return False

    _learn(promises, agent, 2 * budget, stop)
    promises.need(bool(made_by), "learn never called callback: call it after every round")
    after = len(watch.made) - made_by[0]
    line = f"learn made {after} more posts after callback had returned False"
    promises.keep(after == 0, f"{line}: that must stop it")
