"""Values that caches and checkpoints can hold, for Hypothesis."""

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_np

dtypes = st.one_of(
    st_np.boolean_dtypes(),
    st_np.integer_dtypes(),
    st_np.unsigned_integer_dtypes(),
    st_np.floating_dtypes(),
    st_np.complex_number_dtypes(),
    st_np.datetime64_dtypes(),
    st_np.timedelta64_dtypes(),
    st_np.byte_string_dtypes(),
    st_np.unicode_string_dtypes(),
)
# numpy's own texts drop NULs at the end
numpy_texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))
scalars = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary()
    | st_np.from_dtype(np.dtype("f4")) | st_np.from_dtype(np.dtype("f8"))
    | st_np.from_dtype(np.dtype("i8")) | st_np.from_dtype(np.dtype("?"))
    | st_np.from_dtype(np.dtype("M8[s]")) | numpy_texts.map(np.str_)
)  # fmt: skip
arrays = dtypes.flatmap(
    lambda dtype: st_np.arrays(dtype, st_np.array_shapes(min_dims=0, min_side=0, max_side=3))
)
storable = st.recursive(
    scalars | arrays,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(st.text() | st.just("$tuple"), inner, max_size=3)
    ),
    max_leaves=6,
)


def same(one, other):
    """Tells whether two values are equal with all their types; NaN equals NaN."""
    if type(one) is not type(other):
        return False
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict):
        return list(one) == list(other) and all(same(one[key], other[key]) for key in one)
    if isinstance(one, (np.ndarray, np.generic)):
        return (
            one.dtype == other.dtype
            and one.shape == other.shape
            and (one.tobytes() == other.tobytes())
        )
    return one == other or (one != one and other != other)
