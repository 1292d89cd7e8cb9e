import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_np
from storable import same, storable

from kilroy_gym.storage.packing import pack, unpack


def there_and_back(value):
    return unpack(json.loads(json.dumps(pack(value))))


@given(storable)
def test_whatever_can_be_stored_comes_back_as_it_was(value):
    assert same(there_and_back(value), value)


@given(st_np.arrays(st.sampled_from([">f8", ">i4", "<u2"]), st_np.array_shapes(min_dims=0)))
def test_byte_order_comes_back_too(array):
    assert there_and_back(array).dtype.str == array.dtype.str


def test_arrays_that_come_back_can_be_written_to():
    array = there_and_back(np.zeros(3))
    array[0] = 1
    assert array.tolist() == [1, 0, 0]


@pytest.mark.parametrize("dtype", ["O", "i4,O"])
def test_a_file_cannot_make_up_objects(dtype):
    with pytest.raises(ValueError, match="OBJECT array"):
        unpack({"$numpy": ["MTIzNDU2Nzg5MDEy", dtype, [1], True]})


class Text(str):
    pass


@pytest.mark.parametrize(
    "value",
    [object(), {1, 2}, 1j, {1: "a"}, Text("a"), np.array([object()]), np.ma.array([1], mask=[1]),
     np.zeros(1, "i4,f4"), range(3), lambda: 0],
    ids=lambda value: type(value).__name__,
)  # fmt: skip
@pytest.mark.parametrize("wrap", [lambda v: v, lambda v: [1, v], lambda v: {"a": (v,)}])
def test_what_cannot_be_stored_is_refused_with_what_can(value, wrap):
    with pytest.raises(TypeError, match=f"of type {type(value).__name__}; allowed are None, bool"):
        pack(wrap(value))
