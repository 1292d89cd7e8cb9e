import pickle

import pytest

from kilroy_gym import PostData


def test_posts_are_equal_by_content_and_context():
    assert PostData([1, 2], context=0) == PostData([1, 2], context=0)
    assert PostData(1) != PostData(1, context=0)


def test_a_post_survives_the_way_to_a_worker_process():
    post = PostData("hello", context=(1, 2))
    assert pickle.loads(pickle.dumps(post)) == post


def test_a_misspelled_attribute_is_refused():
    with pytest.raises(AttributeError):
        PostData(1).y = 2
