"""Generators that learn: what one must do, and those that ship."""

from kilroy_gym.modules.base import DraftId, KilroyModule
from kilroy_gym.modules.bernoulli import BernoulliModule

__all__ = ["BernoulliModule", "DraftId", "KilroyModule"]
