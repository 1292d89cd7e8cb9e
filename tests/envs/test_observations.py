"""What agents get to see, and the way back."""

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.spaces import Box, Dict, Discrete, MultiBinary, MultiDiscrete, Sequence, Text, Tuple
from gymnasium.utils.env_checker import data_equivalence
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from hypothesis import given
from hypothesis import strategies as st
from parts import WallFace
from playing import every_id, play

from kilroy_gym import FaceEnv, FaceVectorEnv
from kilroy_gym.codecs import BinaryCodec
from kilroy_gym.envs.observations import Observations

VECTORS = [
    Discrete(1),
    Discrete(5),
    Discrete(3, start=-2),
    MultiDiscrete([24, 7]),
    MultiDiscrete([3, 3, 3]),
    MultiDiscrete([[3, 4], [2, 2]]),
    MultiDiscrete([3, 2], start=[5, -5]),
    MultiBinary(4),
    Box(-1, 1, (2, 3), np.float32),
    Box(0, 9, (2,), np.int64),
    Dict(a=Discrete(3), b=Box(0, 9, (2,), np.int64)),
    Tuple((Discrete(2), MultiDiscrete([2, 3]))),
]
NO_VECTORS = [Text(4), Sequence(Discrete(3)), Dict(a=Text(3)), Tuple((Sequence(Discrete(2)),))]
vectors = pytest.mark.parametrize("space", VECTORS, ids=repr)


def samples(space, count, seed=0):
    space.seed(seed)
    drawn = [space.sample() for _ in range(count)]
    return drawn if isinstance(space, (Dict, Tuple, Text, Sequence)) else np.array(drawn)


@vectors
def test_an_observation_is_a_float32_vector_in_the_space_and_comes_back(space):
    seen = Observations(space)
    batch = samples(space, 20)
    flat = seen.flattened(batch)
    assert (flat.dtype, flat.shape) == (np.float32, (20, *seen.space.shape))
    assert len(seen.space.shape) == 1
    assert seen.space.dtype == np.float32
    assert all(seen.space.contains(vector) for vector in flat)
    back = seen.unflattened(flat)
    assert data_equivalence(list(back), list(batch), exact=True)


@vectors
@pytest.mark.parametrize("form", ["vector", "discrete"])
def test_a_batch_is_in_the_space_of_the_vector_environment(space, form):
    seen = Observations(space, form)
    batch = seen.batched(seen.flattened(samples(space, 3)))
    assert seen.batch_space(3).contains(batch)


@pytest.mark.parametrize("space", NO_VECTORS, ids=repr)
def test_what_has_no_vector_stays_as_it_is(space):
    seen = Observations(space)
    batch = samples(space, 3)
    assert seen.space == space
    assert data_equivalence(list(seen.flattened(batch)), list(batch))
    assert data_equivalence(list(seen.unflattened(batch)), list(batch))


@given(st.lists(st.integers(1, 6), min_size=1, max_size=4), st.integers(0, 2**32))
def test_several_numbers_are_their_one_hot_vectors_as_stable_baselines_makes_them(sizes, seed):
    torch = pytest.importorskip("torch")
    preprocessing = pytest.importorskip("stable_baselines3.common.preprocessing")
    space = MultiDiscrete(sizes)
    batch = samples(space, 5, seed)
    theirs = preprocessing.preprocess_obs(torch.as_tensor(batch), space)
    np.testing.assert_array_equal(Observations(space).flattened(batch), theirs.numpy())


def test_a_range_beyond_float32_is_none():
    space = Box(-1e300, 1e300, (1,), np.float64)
    seen = Observations(space)
    assert seen.space.contains(seen.flattened(np.array([[1e300]]))[0])


def test_what_a_wrapper_scales_is_still_known():
    seen = Observations(MultiDiscrete([24, 7]))
    batch = samples(seen.structured, 9)
    np.testing.assert_array_equal(seen.unflattened(seen.flattened(batch) / 24), batch)


def test_another_shape_is_refused_in_words():
    with pytest.raises(ValueError, match=r"batch of Box.*got shape \(2, 3\).*wrapper"):
        Observations(Discrete(2)).unflattened(np.zeros((2, 3)))


def test_an_unknown_form_is_refused_with_those_there_are():
    with pytest.raises(ValueError, match=r"observation must be one of \['vector', 'discrete'\]"):
        FaceEnv(WallFace(), observation="float")


@every_id
def test_every_observation_is_a_float32_vector(env_id):
    single, several = gym.make(env_id), gym.make_vec(env_id, num_envs=3)
    assert isinstance(single.observation_space, Box)
    assert single.observation_space == several.single_observation_space
    for observation, *_ in play(single):
        assert (observation.dtype, observation.ndim) == (np.float32, 1)
        assert single.observation_space.contains(observation)
    for observations, *_ in play(several):
        assert several.observation_space.contains(observations)


@every_id
@pytest.mark.parametrize("vector", [False, True])
def test_the_discrete_form_shows_the_same(env_id, vector):
    def make(**kwargs):
        return gym.make_vec(env_id, 2, **kwargs) if vector else gym.make(env_id, **kwargs)

    flat, plain = make(), make(observation="discrete")
    seen = flat.unwrapped.observations
    for (shown, *_), (known, *_) in zip(play(flat), play(plain), strict=True):
        back = seen.unflattened(shown if vector else shown[None])
        np.testing.assert_array_equal(back if vector else back[0], known)


def arrays_of(happened):
    """Returns every array that a step or a reset gave, those inside the infos too."""
    if isinstance(happened, np.ndarray):
        inside = [array for item in happened for array in arrays_of(item)]
        return [happened, *(inside if happened.dtype == object else [])]
    if isinstance(happened, dict):
        return [array for value in happened.values() for array in arrays_of(value)]
    if isinstance(happened, (tuple, list)):
        return [array for value in happened for array in arrays_of(value)]
    return []


@every_id
@pytest.mark.parametrize("form", ["vector", "discrete"])
@pytest.mark.parametrize("vector", [False, True])
def test_arrays_are_fresh_at_every_step(env_id, form, vector):
    make = (lambda: gym.make_vec(env_id, 2, observation=form)) if vector else (
        lambda: gym.make(env_id, observation=form)
    )  # fmt: skip
    env, twin = make().unwrapped, make().unwrapped
    env.action_space.seed(0)
    actions = [env.action_space.sample() for _ in range(12)]
    kept = []
    for act in (lambda one: one.reset(seed=0), *(lambda one, a=a: one.step(a) for a in actions)):
        ours, theirs = act(env), act(twin)
        assert data_equivalence(ours, theirs, exact=True)
        arrays = list({id(array): array for array in arrays_of(ours)}.values())
        kept += [array for array in arrays if array.dtype != object]
        for array in arrays:
            assert array.flags.writeable
            array[...] = 0
    for place, array in enumerate(kept):
        assert not any(np.shares_memory(array, other) for other in kept[place + 1 :])


def test_torch_takes_observations_without_a_word():
    torch = pytest.importorskip("torch")
    env = FaceVectorEnv(WallFace(), 2, BinaryCodec())
    torch.as_tensor(env.reset()[0])
    observations, *_, infos = env.step([0, 1])
    for array in (observations, *infos["final_obs"]):
        torch.as_tensor(array)


def test_separate_and_common_audiences_have_the_same_spaces():
    separate = SyncVectorEnv(
        [lambda: FaceEnv(WallFace(), BinaryCodec())] * 2, autoreset_mode=AutoresetMode.SAME_STEP
    )
    together = FaceVectorEnv(WallFace(), 2, BinaryCodec())
    assert separate.observation_space == together.observation_space
