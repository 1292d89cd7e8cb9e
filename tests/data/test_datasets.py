import os
import signal
import subprocess
import sys
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from storable import same, storable

from kilroy_gym import PostData
from kilroy_gym.data import FileCachingDatasetFactory, MemoryCachingDatasetFactory

FACTORIES = [MemoryCachingDatasetFactory(), FileCachingDatasetFactory()]
both = pytest.mark.parametrize("factory", FACTORIES, ids=["memory", "file"])


def posts(count):
    return (PostData(number) for number in range(count))


def numbers(found):
    return [post.x for post in found]


@both
@given(length=st.integers(0, 12), data=st.data())
def test_a_dataset_is_indexed_like_a_list(factory, length, data):
    with factory.create(posts(length)) as dataset:
        assert len(dataset) == length
        assert numbers(dataset) == list(range(length))
        where = data.draw(st.slices(length))
        assert numbers(dataset[where]) == list(range(length))[where]
        for index in range(-length, length):
            assert dataset[index].x == range(length)[index]
        for index in (length, -length - 1):
            with pytest.raises(IndexError):
                dataset[index]


@both
@given(length=st.integers(0, 12), batch_size=st.integers(1, 15))
def test_batches_hold_every_post_in_order(factory, length, batch_size):
    with factory.create(posts(length)) as dataset:
        batches = [numbers(batch) for batch in dataset.batches(batch_size)]
    assert [number for batch in batches for number in batch] == list(range(length))
    assert all(len(batch) == batch_size for batch in batches[:-1])
    assert all(batches)


@both
def test_shuffled_batches_hold_every_post_once_by_the_seed(factory):
    def order(seed):
        batches = dataset.batches(7, np.random.default_rng(seed))
        return [number for batch in batches for number in numbers(batch)]

    with factory.create(posts(50)) as dataset:
        assert sorted(order(0)) == list(range(50))
        assert order(0) == order(0)
        assert order(0) != order(1)


@both
@pytest.mark.parametrize("batch_size", [0, -1, 1.5, "2", None, True])
def test_a_batch_size_below_one_is_refused(factory, batch_size):
    reason = pytest.raises(ValueError, match="batch_size must be an integer of at least 1")
    with factory.create(posts(3)) as dataset, reason:
        next(dataset.batches(batch_size))


@both
def test_a_numpy_integer_is_a_batch_size(factory):
    with factory.create(posts(3)) as dataset:
        assert len(list(dataset.batches(np.int64(2)))) == 2


@given(st.lists(st.tuples(storable, storable), max_size=5))
def test_a_file_gives_back_content_and_context_as_they_were(pairs):
    given_posts = [PostData(x, context) for x, context in pairs]
    with FileCachingDatasetFactory().create(iter(given_posts)) as dataset:
        for found, (x, context) in zip(dataset, pairs, strict=True):
            assert same(found.x, x)
            assert same(found.context, context)


def test_a_file_keeps_memory_from_growing_with_the_scrape():
    def peak(count):
        stream = (PostData(str(number) * 100) for number in range(count))
        tracemalloc.start()
        try:
            with FileCachingDatasetFactory().create(stream) as dataset:
                assert sum(len(batch) for batch in dataset.batches(10)) == count
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak(10)
    small = peak(100)
    # 5,000 of these posts take more than 2 MB in memory
    assert peak(5_000) < small + 200_000


nested = []
nested.append(nested)


@pytest.mark.parametrize(
    "post",
    [PostData({1, 2}), PostData(1, context=object()), PostData(10**5000), PostData(nested)],
    ids=["content", "context", "an endless number", "an endless list"],
)
def test_a_file_refuses_at_once_what_it_cannot_hold(tmp_path, post):
    read = []

    def scrape():
        for number, found in enumerate([PostData(0), post, PostData(2)]):
            read.append(number)
            yield found

    reason = pytest.raises(TypeError, match="post number 1 cannot be cached in a file")
    with reason, FileCachingDatasetFactory(tmp_path).create(scrape()):
        pytest.fail("the block was entered")
    assert read == [0, 1]
    assert list(tmp_path.iterdir()) == []


def test_the_file_is_there_in_the_block_and_gone_after(tmp_path):
    with FileCachingDatasetFactory(tmp_path).create(posts(3)):
        assert list(tmp_path.rglob("posts.sqlite"))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", [RuntimeError, KeyboardInterrupt, SystemExit])
def test_the_file_is_gone_when_the_block_fails(tmp_path, kind):
    with pytest.raises(kind), FileCachingDatasetFactory(tmp_path).create(posts(3)):
        raise kind
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", [RuntimeError, KeyboardInterrupt, SystemExit])
def test_the_file_is_gone_when_the_scrape_fails(tmp_path, kind):
    def scrape():
        yield PostData(1)
        assert list(tmp_path.rglob("posts.sqlite"))
        raise kind

    with pytest.raises(kind), FileCachingDatasetFactory(tmp_path).create(scrape()):
        pytest.fail("the block was entered")
    assert list(tmp_path.iterdir()) == []


INTERRUPTED = """
import signal, sys
from kilroy_gym import PostData
from kilroy_gym.data import FileCachingDatasetFactory

signal.signal(signal.SIGINT, signal.default_int_handler)  # a parent may have it ignored

def wait_for_the_signal():
    print("ready", flush=True)
    sys.stdin.read()

def scrape():
    yield PostData(1)
    if sys.argv[2] == "scrape":
        wait_for_the_signal()

with FileCachingDatasetFactory(sys.argv[1]).create(scrape()):
    wait_for_the_signal()
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows sends no SIGINT to one process")
@pytest.mark.parametrize("place", ["scrape", "block"])
def test_the_file_is_gone_after_ctrl_c(tmp_path, place):
    command = [sys.executable, "-c", INTERRUPTED, str(tmp_path), place]
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout.readline() == "ready\n"
        assert list(tmp_path.rglob("posts.sqlite"))
        process.send_signal(signal.SIGINT)
        assert "KeyboardInterrupt" in process.stderr.read()
    assert list(tmp_path.iterdir()) == []
