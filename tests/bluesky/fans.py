"""Readers whose likes are known from the text, and Faces that know when all have read."""

from bluesky_network import Readers, until, write

from kilroy_gym import ScorePending
from kilroy_gym.audiences.text import SLOTS
from kilroy_gym.faces.wrappers.base import FaceWrapper
from kilroy_gym.modules import NgramModule

LOVED = {"cats", "secretly", "steal", "tiny", "pickles"}
"""What the fans love, of five slots of the grammar; they do not care about the other two."""

VIEW = "app.bsky.feed.getPosts"


def likes(text):
    """Tells how many fans like a text: one for each word that they love."""
    return len(LOVED & set(text.split()))


def corpus():
    """Sentences of the grammar, in which every word comes up equally often."""
    for number in range(64):
        words = [slot[(number * step + number // 8) % 8] for step, slot in enumerate(SLOTS, 1)]
        left_out = {place for place in (0, 2, 6) if number >> place & 1}
        yield " ".join(word for place, word in enumerate(words) if place not in left_out)


def new_module(seed):
    """A module that learns in a few hundred posts what the fans love."""
    return NgramModule(rate=0.1, backoff=3.0, seed=seed)


class Fans(Readers):
    """As many of them like a post as its text deserves, and nobody does anything else."""

    def __init__(self, network, author):
        super().__init__(network, author, len(LOVED), likes)
        for session in self.sessions:
            session.did()  # logs in, before something is put in between

    def react_to(self, uris):
        """Lets everybody react to posts, as soon as the server has them."""
        session = self.sessions[0]
        posts = until(
            lambda: session.query(VIEW, uris=uris)["posts"], lambda found: len(found) == len(uris)
        )
        for post in posts:
            self.react(post)

    def react(self, post):
        self._read.add(post["uri"])
        subject = {"uri": post["uri"], "cid": post["cid"]}
        for session in self.sessions[: likes(post["record"]["text"])]:
            write(session, "app.bsky.feed.like", subject=subject)


class AllHaveRead(FaceWrapper):
    """Knows a score once the server counts every like that the post will ever get."""

    passes_key = True

    def __init__(self, face):
        super().__init__(face)
        self._finals = {}

    def score(self, post_id):
        for _, score in self.score_many([post_id]):
            return score
        raise ScorePending(post_id)

    def score_many(self, post_ids):
        for post_id, score in self.face.score_many(post_ids):
            if score == self._final(post_id):
                yield post_id, score

    def post(self, data):
        uri = self.face.post(data)
        self._finals[uri] = likes(data.x)
        return uri

    def _final(self, uri):
        if uri not in self._finals:  # an earlier process made it
            (post,) = self.face.session.query(VIEW, uris=[uri])["posts"]
            self._finals[uri] = likes(post["record"]["text"])
        return self._finals[uri]


class Patient(AllHaveRead):
    """Waits for every score that it is asked for, so that none comes in a later round."""

    def score_many(self, post_ids):
        asked = list(post_ids)
        known = super().score_many
        yield from until(lambda: list(known(asked)), lambda scores: len(scores) == len(asked))
