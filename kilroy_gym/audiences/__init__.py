"""Simulated tastes, in array arithmetic, with their closed-form truth."""

from kilroy_gym.audiences.base import Audience, Response
from kilroy_gym.audiences.bernoulli import BernoulliAudience

__all__ = ["Audience", "BernoulliAudience", "Response"]
