"""Scores on a real network: what others gave, as the server counts it."""

import pytest
from bluesky_network import Readers, until, write

from kilroy_gym import PostData, ScorePending

ABSENT = "at://did:plc:abcdefghijklmnopqrstuvwx/app.bsky.feed.post/3ke6kg3wk2222"


def taste(text):
    """Everybody likes cats, answers questions and reposts exclamations."""
    return float("cat" in text), float("?" in text), float("!" in text)


@pytest.fixture
def readers(network, account):
    readers = Readers(network, account.did, 3, taste)
    yield readers
    readers.close()


def view(session, uri):
    """The server's own view of a post, as soon as it has one."""
    posts = until(lambda: session.query("app.bsky.feed.getPosts", uris=[uri])["posts"])
    return posts[0]


def counts(session, uri):
    post = view(session, uri)
    return post["likeCount"], post["replyCount"], post["repostCount"]


def react_to_oneself(face, uri):
    subject = {"uri": uri, "cid": view(face.session, uri)["cid"]}
    write(face.session, "app.bsky.feed.like", subject=subject)
    write(face.session, "app.bsky.feed.repost", subject=subject)
    for _ in range(2):
        thread = {"root": subject, "parent": subject}
        write(face.session, "app.bsky.feed.post", text="I agree", reply=thread)


def test_a_new_post_has_no_score_until_the_server_knows_it_and_then_0(face):
    uri = face.post(PostData("nobody cares"))

    def known():
        try:
            return face.score(uri)
        except ScorePending:
            return None

    assert until(known, lambda score: score is not None) == 0.0


def test_a_post_that_is_not_there_has_no_score(face):
    with pytest.raises(ScorePending):
        face.score(ABSENT)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("a dog", (0, 0, 0)), ("a cat", (3, 0, 0)), ("a dog?", (0, 3, 0)), ("cat?!", (3, 3, 3))],
)
def test_the_score_is_the_servers_counts_weighted(face_of, account, readers, text, expected):
    face = face_of(account, like_weight=1, reply_weight=10, repost_weight=100)
    uri = face.post(PostData(text))
    until(readers.read, lambda new: new == 1)
    server = readers.sessions[0]
    assert until(lambda: counts(server, uri), lambda found: found == expected) == expected
    likes, replies, reposts = expected
    assert face.score(uri) == likes + 10 * replies + 100 * reposts


@pytest.mark.parametrize("text", ["a dog", "cat?!"])
def test_what_the_account_gives_to_itself_does_not_count(face_of, account, readers, text):
    face = face_of(account, like_weight=1, reply_weight=10, repost_weight=100)
    uri = face.post(PostData(text))
    until(readers.read, lambda new: new == 1)
    react_to_oneself(face, uri)
    likes, replies, reposts = (3 * int(count) for count in taste(text))
    everything = (likes + 1, replies + 2, reposts + 1)
    server = readers.sessions[0]
    assert until(lambda: counts(server, uri), lambda found: found == everything)
    assert face.score(uri) == likes + 10 * replies + 100 * reposts


def test_a_weight_of_0_leaves_that_out(face_of, account, readers):
    face = face_of(account, like_weight=0, reply_weight=0, repost_weight=2.5)
    uri = face.post(PostData("cat?!"))
    until(readers.read, lambda new: new == 1)
    until(lambda: counts(readers.sessions[0], uri), lambda found: found == (3, 3, 3))
    assert face.score(uri) == 7.5


def test_many_scores_are_those_of_one_after_another(face, readers):
    uris = [face.post(PostData("a cat" if number % 3 else "a dog")) for number in range(60)]
    until(lambda: list(face.score_many(uris)), lambda scores: len(scores) == 60)
    readers.read()
    until(lambda: sum(dict(face.score_many(uris)).values()), lambda total: total == 3 * 40)
    asked = [*uris, ABSENT, uris[0]]
    assert list(face.score_many(iter(asked))) == [(uri, face.score(uri)) for uri in uris]


def test_no_posts_have_no_scores(face):
    assert list(face.score_many([])) == []


def test_a_deleted_post_scores_0_so_that_nobody_waits_for_it(face):
    uri = face.post(PostData("regretted"))
    view(face.session, uri)
    face.session.procedure(
        "com.atproto.repo.deleteRecord",
        repo=face.session.did(),
        collection="app.bsky.feed.post",
        rkey=uri.rpartition("/")[2],
    )
    until(lambda: not face.session.query("app.bsky.feed.getPosts", uris=[uri])["posts"])
    assert list(face.score_many([uri, ABSENT])) == [(uri, 0.0)]


def test_readers_react_as_often_as_their_taste_says(network, face, account):
    readers = Readers(network, account.did, 4, lambda text: (0.5, 0.0, 0.1), seed=1)
    uris = [face.post(PostData(f"post {number}")) for number in range(25)]
    until(lambda: list(face.score_many(uris)), lambda scores: len(scores) == 25)
    assert readers.read() == 25
    assert readers.read() == 0
    likes, replies, reposts = (
        sum(
            len(session.query(method, repo=session.did(), collection=kind, limit=100)["records"])
            for session in readers.sessions
        )
        for method in ["com.atproto.repo.listRecords"]
        for kind in ["app.bsky.feed.like", "app.bsky.feed.post", "app.bsky.feed.repost"]
    )
    readers.close()
    assert 35 <= likes <= 65
    assert replies == 0
    assert 2 <= reposts <= 22
