"""An export as the warm start of a bot that writes text: real posts, and the oddest there are."""

from functools import partial
from itertools import islice
from pathlib import Path

import pytest
from exported import export
from hypothesis import given
from hypothesis import strategies as st

from kilroy_gym import KilroyFace, KilroyTrainer
from kilroy_gym.codecs import TextCodec, UnencodablePost, graphemes
from kilroy_gym.data import FileCachingDatasetFactory
from kilroy_gym.faces import LoggedFace
from kilroy_gym.modules import NgramModule

DATA = Path(__file__).parents[1].parent / "shared" / "data"
TITLES = DATA / "reddit_titles" / "reddit_top2013_titles.csv.gz"
CAPTIONS = DATA / "captions" / "uniform_dense_508r2_509r2_540_559.csv.gz"
REAL = {
    "titles": partial(LoggedFace, TITLES, "title", "score", "id"),
    "captions": partial(LoggedFace, CAPTIONS, "caption", "funny"),
}
real_posts = pytest.mark.skipif(
    not DATA.exists(), reason=f"needs the folder of real posts, {DATA}: see its README.md"
)

POSTS = [
    "👩‍👩‍👧 and 🏴󠁧󠁢󠁥󠁮󠁧󠁿 and 👍🏽",
    "שלום עולם \u200f— العربية",
    "zero\u200bwidth \u2060 joiner\ufeff",
    "two\nlines\tand a tab",
    ' "quoted", with a comma; ',
    "中文 日本語",
]
NO_POSTS = ["", "nul \0", "word " * 2000, "private \ue000", "bell \a"]
HALVES = ["half \ud800", "\udc00 the other"]
"""Of surrogate pairs, which JSON can hold and UTF-8 cannot."""


def warm_started(face, codec, factory=None, **settings):
    trainer = KilroyTrainer(face, NgramModule(codec, seed=0), factory, seed=0)
    return trainer.fine_tune(epochs=1, progress_bar=False, **settings)


def written(trainer, count):
    return [post.x for _, post in trainer.module.generate_many(count)]


@pytest.mark.parametrize("factory", [None, FileCachingDatasetFactory()], ids=["memory", "file"])
@pytest.mark.parametrize("weight_by_score", [False, True])
@pytest.mark.parametrize(
    ("suffix", "refused"),
    [(".csv", [x for x in NO_POSTS if "\0" not in x]), (".jsonl", [*NO_POSTS, *HALVES])],
)
def test_odd_texts_are_mimicked_or_skipped_and_counted(
    tmp_path, suffix, refused, weight_by_score, factory
):
    rows = [{"text": x, "score": number} for number, x in enumerate([*POSTS, *refused] * 3)]
    codec = TextCodec(300, count=graphemes)
    face = LoggedFace(export(tmp_path / f"posts{suffix}", rows))
    trainer = warm_started(face, codec, factory, weight_by_score=weight_by_score)
    assert trainer.skipped_posts == 3 * len(refused)
    assert set(trainer.module.state()["posts"]) <= set(POSTS)
    assert weight_by_score or len(trainer.module.state()["posts"]) == len(POSTS)
    assert all(codec.space.contains(x) for x in written(trainer, 100))
    with pytest.raises(UnencodablePost, match="TextCodec cannot encode a post"):
        trainer.fine_tune(epochs=1, strict=True)


def test_an_export_of_nothing_that_can_be_posted_is_an_error(tmp_path):
    rows = [{"text": x, "score": 1} for x in [*NO_POSTS, *HALVES]]
    face = LoggedFace(export(tmp_path / "posts.jsonl", rows))
    with pytest.raises(ValueError, match=rf"there are no posts .* \({len(rows)} were skipped\)"):
        warm_started(face, TextCodec())


any_texts = st.lists(st.text(st.characters(exclude_categories=[]), max_size=20), max_size=10)


@given(any_texts)
def test_whatever_was_posted_what_is_written_can_be_posted(tmp_path_factory, texts):
    rows = [{"text": x, "score": None} for x in ["hello there", *texts]]
    codec = TextCodec(12)
    path = export(tmp_path_factory.mktemp("odd") / "posts.jsonl", rows)
    trainer = warm_started(LoggedFace(path), codec)
    allowed = [x for x in texts if codec.space.contains(x)]
    assert trainer.skipped_posts == len(texts) - len(allowed)
    assert all(codec.space.contains(x) for x in written(trainer, 10))


@real_posts
@pytest.mark.parametrize("name", REAL)
@pytest.mark.parametrize("weight_by_score", [False, True])
def test_real_posts_are_mimicked(name, weight_by_score):
    codec = TextCodec(300, count=graphemes)
    trainer = warm_started(REAL[name](), codec, weight_by_score=weight_by_score)
    known = {post.x for _, post in REAL[name]().scrap()}
    assert trainer.skipped_posts < 0.001 * len(known)
    mimicked = len(trainer.module.state()["posts"])
    # A rank in the lower half has less than the mean weight, and its post is often left out.
    assert mimicked == pytest.approx(len(known) * (0.75 if weight_by_score else 1), rel=0.05)
    posts = written(trainer, 300)
    assert all(codec.space.contains(x) for x in posts)
    assert len(set(posts) - known) > 100


class First(KilroyFace):
    """Has the first posts of another Face to scrap."""

    def __init__(self, face, count):
        self.found = list(islice(face.scrap_scored(), count))

    def scrap(self, limit=None):
        yield from (one[:2] for one in self.found)

    def scrap_scored(self, limit=None):
        yield from self.found

    def post(self, data):
        raise NotImplementedError

    score = post


@real_posts
def test_of_real_posts_those_that_scored_better_are_mimicked_more_often():
    # The first thousand are of one subreddit: across several, scores say little.
    face = First(REAL["titles"](), 1000)
    scores = {post.x: score for _, post, score in face.scrap_scored()}

    def mean_score(**settings):
        counts = warm_started(face, TextCodec(300), **settings).module.state()["posts"]
        return sum(scores[x] * n for x, n in counts.items()) / sum(counts.values())

    plain, weighted = mean_score(), mean_score(weight_by_score=True)
    ranks = sorted(scores.values())
    expected = sum(n * score for n, score in enumerate(ranks, 1)) / sum(range(len(ranks) + 1))
    assert weighted == pytest.approx(expected, rel=0.02)
    assert weighted > 1.05 * plain
