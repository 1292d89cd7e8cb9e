"""Checks to run on a Face, module, agent, codec or audience of your own.

Each returns ``None`` where every promise is kept. Otherwise it raises one :class:`AssertionError`
that lists every broken promise, one per line: what was seen, what is right, and what to do.

Example:
    >>> from kilroy_gym import KilroyFace, PostData
    >>> class Wall(KilroyFace):
    ...     def scrap(self, limit=None):
    ...         yield PostData(1)
    ...     def post(self, data):
    ...         return 1
    ...     def score(self, post_id):
    ...         return 2
    >>> check_face(Wall())
    Traceback (most recent call last):
    AssertionError: Wall breaks 1 promise of a KilroyFace:
    - scrap(20) yielded PostData(x=1, context=None): yield a tuple (post id, PostData(x)) per post
"""

from kilroy_gym.testing.agents import check_agent
from kilroy_gym.testing.audiences import check_audience
from kilroy_gym.testing.codecs import check_codec
from kilroy_gym.testing.faces import check_face
from kilroy_gym.testing.modules import check_module

__all__ = ["check_agent", "check_audience", "check_codec", "check_face", "check_module"]
