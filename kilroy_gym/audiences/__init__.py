"""Simulated tastes, in array arithmetic, with their closed-form truth."""

from typing import TYPE_CHECKING

from kilroy_gym._lazy import lazily
from kilroy_gym.audiences.base import Audience, Response

if TYPE_CHECKING:
    from kilroy_gym.audiences.bernoulli import BernoulliAudience
    from kilroy_gym.audiences.delayed import DelayedAudience
    from kilroy_gym.audiences.drift import DriftAudience
    from kilroy_gym.audiences.growth import GrowthAudience
    from kilroy_gym.audiences.text import TextAudience
    from kilroy_gym.audiences.timing import TimingAudience
    from kilroy_gym.audiences.tone import ToneAudience
    from kilroy_gym.audiences.topics import TopicsAudience
    from kilroy_gym.audiences.zigzag import ZigzagAudience

__all__ = [
    "Audience",
    "BernoulliAudience",
    "DelayedAudience",
    "DriftAudience",
    "GrowthAudience",
    "Response",
    "TextAudience",
    "TimingAudience",
    "ToneAudience",
    "TopicsAudience",
    "ZigzagAudience",
]

__getattr__ = lazily(
    __name__,
    {
        "BernoulliAudience": "bernoulli",
        "DelayedAudience": "delayed",
        "DriftAudience": "drift",
        "GrowthAudience": "growth",
        "TextAudience": "text",
        "TimingAudience": "timing",
        "ToneAudience": "tone",
        "TopicsAudience": "topics",
        "ZigzagAudience": "zigzag",
    },
)
