"""Generators that learn: what one must do, and those that ship."""

from kilroy_gym.modules.base import DraftId, KilroyModule
from kilroy_gym.modules.bernoulli import BernoulliModule
from kilroy_gym.modules.categorical import CategoricalModule
from kilroy_gym.modules.contextual import ContextualModule
from kilroy_gym.modules.gaussian import GaussianModule
from kilroy_gym.modules.growing import GrowingModule
from kilroy_gym.modules.ngram import NgramModule
from kilroy_gym.modules.sequence import SequenceModule
from kilroy_gym.modules.thompson import ThompsonModule

__all__ = [
    "BernoulliModule",
    "CategoricalModule",
    "ContextualModule",
    "DraftId",
    "GaussianModule",
    "GrowingModule",
    "KilroyModule",
    "NgramModule",
    "SequenceModule",
    "ThompsonModule",
]
