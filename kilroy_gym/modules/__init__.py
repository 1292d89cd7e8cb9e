"""Generators that learn: what one must do, and those that ship."""

from typing import TYPE_CHECKING

from kilroy_gym._lazy import lazily
from kilroy_gym.modules.base import DraftId, KilroyModule

if TYPE_CHECKING:
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

__getattr__ = lazily(
    __name__,
    {
        "BernoulliModule": "bernoulli",
        "CategoricalModule": "categorical",
        "ContextualModule": "contextual",
        "GaussianModule": "gaussian",
        "GrowingModule": "growing",
        "NgramModule": "ngram",
        "SequenceModule": "sequence",
        "ThompsonModule": "thompson",
    },
)
