"""The modules that suit the audiences that ship, as these name them."""

from typing import Any

import numpy as np
import numpy.typing as npt

from kilroy_gym.audiences.text import WORDS
from kilroy_gym.codecs import TextCodec, WordCodec
from kilroy_gym.interfaces import Observation
from kilroy_gym.modules import (
    BernoulliModule,
    ContextualModule,
    GaussianModule,
    GrowingModule,
    NgramModule,
    SequenceModule,
    ThompsonModule,
)


def bernoulli_module(codec: Any, seed: int | None) -> BernoulliModule:
    """Returns the notebook's module."""
    return BernoulliModule(seed=seed)


def topics_module(codec: Any, seed: int | None) -> ThompsonModule:
    """Returns Thompson sampling for scores that are never negative."""
    return ThompsonModule(codec.choices, prior=2.0, likelihood="gamma", seed=seed)


def tone_module(codec: Any, seed: int | None) -> GaussianModule:
    """Returns a Gaussian policy within the codec's range."""
    return GaussianModule(codec.low, codec.high, seed=seed)


def timing_module(codec: Any, seed: int | None) -> ContextualModule:
    """Returns a linear model of the time."""
    return ContextualModule(codec.choices, time_features, seed=seed)


def drift_module(codec: Any, seed: int | None) -> ThompsonModule:
    """Returns Thompson sampling that forgets."""
    return ThompsonModule(codec.choices, prior=0.1, discount=0.99, seed=seed)


def growth_module(codec: Any, seed: int | None) -> GrowingModule:
    """Returns what takes the growth out of the scores."""
    return GrowingModule(codec.choices, seed=seed)


def delayed_module(codec: Any, seed: int | None) -> ThompsonModule:
    """Returns Thompson sampling."""
    return ThompsonModule(codec.choices, seed=seed)


def zigzag_module(codec: Any, seed: int | None) -> SequenceModule:
    """Returns a policy of tokens given the token before."""
    return SequenceModule(codec, seed=seed)


def text_module(codec: Any, seed: int | None) -> NgramModule:
    """Returns a model of word after word; where posts are composed, of no more words than fit."""
    if isinstance(codec, WordCodec):
        most_bytes = codec.length * max(len(f"{word} ".encode()) for word in codec.words)
        codec = TextCodec(codec.length, count=count_words, max_bytes=most_bytes)
    return NgramModule(codec, words=WORDS, seed=seed)


def count_words(text: str) -> int:
    """Returns how many words a text has."""
    return len(text.split())


def time_features(observation: Observation) -> npt.NDArray[np.float64]:
    """Returns what a linear model needs of an hour and a weekday: three waves, twice.

    Args:
        observation: Hour from 0 to 23 and weekday from 0, a Monday, to 6.

    Returns:
        float64 of shape ``(14,)``: a constant and the first three harmonics of the day; again for
        weekends, 0 on other days.
    """
    hour, weekday = observation
    angles = 2 * np.pi * hour / 24 * np.arange(1, 4)
    day = np.concatenate([[1.0], np.cos(angles), np.sin(angles)])
    return np.concatenate([day, day * (weekday >= 5)])
