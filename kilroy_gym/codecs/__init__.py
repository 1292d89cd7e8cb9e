"""Post <-> action.

A codec owns the action space of an environment: ``encode`` turns the content of a post into an
action, and ``decode`` turns an action into content. The batch versions work on arrays of actions.
"""

from kilroy_gym.codecs.base import Codec, UnencodablePost
from kilroy_gym.codecs.box import BoxCodec
from kilroy_gym.codecs.categorical import BinaryCodec, CategoricalCodec
from kilroy_gym.codecs.sequence import SequenceCodec, TokenCodec
from kilroy_gym.codecs.text import TextCodec, common_characters, graphemes
from kilroy_gym.codecs.words import WordCodec

__all__ = [
    "BinaryCodec",
    "BoxCodec",
    "CategoricalCodec",
    "Codec",
    "SequenceCodec",
    "TextCodec",
    "TokenCodec",
    "UnencodablePost",
    "WordCodec",
    "common_characters",
    "graphemes",
]
