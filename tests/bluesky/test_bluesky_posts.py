"""Scraping and posting on a real network."""

import base64
import time
from datetime import UTC, datetime, timedelta

import atproto
import pytest
from bluesky_network import until, write

from kilroy_gym import PostData
from kilroy_gym.faces.bluesky import BlueskyError
from kilroy_gym.faces.bluesky.face import PROFILE
from kilroy_gym.faces.bluesky.records import MAX_GRAPHEMES, record_key

PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII="
)
KEY = 1_700_000_000_000_000
FAMILY = "\N{MAN}\N{ZERO WIDTH JOINER}\N{WOMAN}"
CHARACTERS = {
    "a letter": "a",
    "a letter and its accent": "e\N{COMBINING ACUTE ACCENT}",
    "an emoji": "\N{GRINNING FACE}",
    "a flag": "\N{REGIONAL INDICATOR SYMBOL LETTER D}\N{REGIONAL INDICATOR SYMBOL LETTER E}",
    "a consonant cluster": "\N{DEVANAGARI LETTER KA}\N{DEVANAGARI VOWEL SIGN I}",
    "a syllable of three letters": "\u1112\u1161\u11ab",
    "an end of line": "\r\n",
}
ODD = [
    "\N{HEBREW LETTER SHIN}\N{HEBREW LETTER LAMED} and \N{ARABIC LETTER ALEF}",
    "\N{ZERO WIDTH SPACE}\N{RIGHT-TO-LEFT OVERRIDE}turned",
    f"{FAMILY * 20}",
    " spaces \n\n and lines\t ",
    "\x01\x7f\ufffe\ufeff controls",
    '\'; DROP TABLE post; -- <b>&amp;</b> {"$type": "x"}',
]


def scraped(face, count):
    return until(lambda: list(face.scrap()), lambda posts: len(posts) == count)


def test_scrap_gives_every_post_once_over_several_pages(face):
    texts = [f"post {number}" for number in range(230)]
    made = {face.post(PostData(text)): text for text in texts}
    posts = scraped(face, len(texts))
    assert {uri: post.x for uri, post in posts} == made
    assert [post.x for _, post in posts] == texts[::-1]
    for limit in (0, 5, 100, 101, 1000):
        assert list(face.scrap(limit)) == posts[:limit]


def test_an_account_without_posts_gives_none(face):
    face.session.did()
    assert until(lambda: not list(face.scrap()))


def test_replies_and_reposts_are_left_out_of_the_scrape(face, new_account, session_of):
    other = session_of(new_account())
    foreign = write(other, "app.bsky.feed.post", text="somebody else's")
    subject = {name: foreign[name] for name in ("uri", "cid")}
    own = face.post(PostData("own"))
    write(face.session, "app.bsky.feed.repost", subject=subject)
    thread = {"root": subject, "parent": subject}
    write(face.session, "app.bsky.feed.post", text="a reply", reply=thread)
    everything = {"actor": face.session.did(), "limit": 100}
    until(
        lambda: face.session.query("app.bsky.feed.getAuthorFeed", **everything)["feed"],
        lambda feed: len(feed) == 3,
    )
    assert [uri for uri, _ in face.scrap()] == [own]


@pytest.mark.parametrize("name", ["handle", "did"])
def test_another_accounts_posts_can_be_scraped(face_of, account, new_account, session_of, name):
    other = new_account()
    write(session_of(other), "app.bsky.feed.post", text="somebody else's")
    face = face_of(account, source=getattr(other, name))
    assert [post.x for _, post in scraped(face, 1)] == ["somebody else's"]


def test_a_feeds_posts_can_be_scraped_over_several_pages(network, face_of, account, new_account):
    keeper = face_of(new_account())
    feed = keeper.session.procedure(
        "com.atproto.repo.putRecord",
        repo=keeper.session.did(),
        collection="app.bsky.feed.generator",
        rkey="all",
        record={
            "$type": "app.bsky.feed.generator",
            "did": network.feed_did,
            "displayName": "All",
            "createdAt": datetime.now(UTC).isoformat(),
        },
    )
    made = {keeper.post(PostData(f"kept {number}")) for number in range(120)}
    reader = face_of(account, source=feed["uri"])
    made.add(reader.post(PostData("the reader's own")))

    def shown():
        try:
            return [uri for uri, _ in reader.scrap()]
        except BlueskyError as error:
            if error.status != 400:  # the AppView does not know the feed yet
                raise
            return []

    uris = until(shown, made.issubset)
    assert len(uris) == len(set(uris))
    assert made <= set(uris)  # among what others post on this network meanwhile


def test_a_source_that_is_not_there_is_an_error(face_of, account):
    with pytest.raises(BlueskyError, match=r"refused app.bsky.feed.getAuthorFeed: 400"):
        list(face_of(account, source="nobody.test").scrap())


def test_a_post_is_on_the_server_as_it_was_written(face, account, records_of):
    before = datetime.now(UTC) - timedelta(seconds=1)
    uri = face.post(PostData("hello"))
    (record,) = records_of(account)
    assert record["uri"] == uri
    assert record["value"]["text"] == "hello"
    assert before < datetime.fromisoformat(record["value"]["createdAt"]) < datetime.now(UTC)


def test_posting_the_same_key_again_makes_no_second_post(face_of, account, records_of):
    uris = {face_of(account).post(PostData("once", key=KEY)) for _ in range(2)}
    face = face_of(account)
    uris |= {face.post(PostData("once", key=KEY)) for _ in range(2)}
    (record,) = records_of(account)
    assert uris == {record["uri"]}
    assert record["uri"].endswith("/" + record_key(KEY))
    assert record["value"]["createdAt"] == "2023-11-14T22:13:20.000000Z"
    assert [uri for uri, _ in scraped(face, 1)] == [record["uri"]]


def test_a_key_of_another_post_is_refused_and_that_post_stays(face, account, records_of):
    face.post(PostData("first", key=KEY))
    with pytest.raises(ValueError, match=f"key {KEY} belongs to another post"):
        face.post(PostData("second", key=KEY))
    assert [record["value"]["text"] for record in records_of(account)] == ["first"]


@pytest.mark.parametrize("key", [0, 1, 2**53 - 1])
def test_the_outermost_keys_can_be_posted(face, account, records_of, key):
    uri = face.post(PostData("at the edge", key=key))
    assert [record["uri"] for record in records_of(account)] == [uri]
    assert [found for found, _ in scraped(face, 1)] == [uri]


def test_posts_made_at_once_have_keys_of_their_own(face, account, records_of, monkeypatch):
    monkeypatch.setattr(time, "time_ns", lambda: KEY * 1000)
    uris = [face.post(PostData("the same")) for _ in range(3)]
    assert sorted(record["uri"] for record in records_of(account)) == sorted(set(uris))


@pytest.mark.parametrize("text", ODD)
def test_odd_text_comes_back_as_it_was(face, text):
    face.post(PostData(text))
    assert [post.x for _, post in scraped(face, 1)] == [text]


@pytest.mark.parametrize("character", CHARACTERS)
def test_the_limit_of_length_is_the_servers(face, account, records_of, character):
    longest = "x" + CHARACTERS[character] * (MAX_GRAPHEMES - 1)
    face.post(PostData(longest))
    with pytest.raises(ValueError, match="got 301: shorten it"):
        face.post(PostData(longest + "x"))
    with pytest.raises(BlueskyError, match="300"):
        write(face.session, "app.bsky.feed.post", text=longest + "x")
    assert [record["value"]["text"] for record in records_of(account)] == [longest]


def test_the_limit_of_bytes_is_the_servers(face, account, records_of):
    longest = FAMILY * 272 + "bytes678"  # 11 bytes a character
    assert len(longest.encode()) == 3000
    face.post(PostData(longest))
    with pytest.raises(ValueError, match="at most 3000 bytes, got 3001"):
        face.post(PostData(longest + "x"))
    with pytest.raises(BlueskyError, match="3000"):
        write(face.session, "app.bsky.feed.post", text=longest + "x")
    assert len(records_of(account)) == 1


def profiles(records_of, account):
    return [record["value"] for record in records_of(account, PROFILE)]


def test_the_first_post_marks_the_account_as_a_bot(face, account, records_of):
    face.session.did()
    assert profiles(records_of, account) == []
    face.post(PostData("beep"))
    (profile,) = profiles(records_of, account)
    assert profile["labels"]["values"] == [{"val": "bot"}]


@pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")  # atproto's own upload
def test_what_else_the_profile_says_stays(network, face, account, records_of):
    client = atproto.Client(network.service)
    client.login(account.handle, account.password, fetch_bsky_profile=False)
    blob = client.upload_blob(PIXEL).blob
    client.request.close()
    link = {"$link": blob.ref.link}
    profile = {
        "$type": PROFILE,
        "displayName": "Kilroy",
        "avatar": {"$type": "blob", "ref": link, "mimeType": blob.mime_type, "size": blob.size},
        "labels": {"$type": "com.atproto.label.defs#selfLabels", "values": [{"val": "first"}]},
        "somethingNew": {"list": [1, None, "x"]},
    }
    place = {"repo": account.did, "collection": PROFILE, "rkey": "self"}
    face.session.procedure("com.atproto.repo.putRecord", **place, record=profile)
    face.post(PostData("beep"))
    profile["labels"]["values"].append({"val": "bot"})
    assert profiles(records_of, account) == [profile]


def test_an_account_that_is_marked_already_is_left_alone(face_of, account, records_of):
    face_of(account).post(PostData("beep"))
    (before,) = records_of(account, PROFILE)
    face_of(account).post(PostData("boop"))
    assert records_of(account, PROFILE) == [before]


def test_an_account_that_is_no_bot_is_not_marked_as_one(face_of, account, records_of):
    face_of(account, label_as_bot=False).post(PostData("I write this myself"))
    assert profiles(records_of, account) == []
