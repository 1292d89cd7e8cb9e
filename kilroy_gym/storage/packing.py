"""Values as JSON, for caches and checkpoints; reading them back cannot run code."""

import base64
from typing import Any

import numpy as np


def pack(value: Any) -> Any:
    """Turns a value into JSON values; types that JSON lacks become a dict with one ``$`` key.

    Raises:
        TypeError: The value has a type that cannot be stored; the message lists those that can.
    """
    if value is None or type(value) in (bool, int, float, str):
        return value
    if type(value) is list:
        return [pack(item) for item in value]
    if type(value) is tuple:
        return {"$tuple": [pack(item) for item in value]}
    if type(value) is dict and all(type(key) is str for key in value):
        return {"$dict": {key: pack(item) for key, item in value.items()}}
    if type(value) is bytes:
        return {"$bytes": base64.b64encode(value).decode()}
    is_array = type(value) is np.ndarray  # a subclass may hold more, such as a mask
    if (is_array or isinstance(value, np.generic)) and value.dtype.kind in "biufcSUmM":
        raw = base64.b64encode(value.tobytes()).decode()
        return {"$numpy": [raw, value.dtype.str, list(value.shape), is_array]}
    wrong = [key for key in value if type(key) is not str] if type(value) is dict else []
    key = f" (this one has the key {wrong[0]!r})" if wrong else ""
    raise TypeError(
        f"{value!r} is of type {type(value).__name__}; allowed are None, bool, int, float, str, "
        f"bytes, list, tuple, dict with str keys{key}, and numpy arrays and numbers"
    )


def unpack(value: Any) -> Any:
    """Reverses :func:`pack`; everything gets back the type it had."""
    if isinstance(value, list):
        return [unpack(item) for item in value]
    if not isinstance(value, dict):
        return value
    ((kind, content),) = value.items()
    if kind == "$tuple":
        return tuple(unpack(item) for item in content)
    if kind == "$dict":
        return {key: unpack(item) for key, item in content.items()}
    if kind == "$bytes":
        return base64.b64decode(content)
    raw, dtype, shape, is_array = content
    if np.dtype(dtype).itemsize == 0:  # empty texts only, which frombuffer refuses
        array = np.zeros(shape, dtype)
    else:  # frombuffer refuses objects, whose addresses a file could forge
        array = np.frombuffer(base64.b64decode(raw), dtype).reshape(shape).copy()
    return array if is_array else array[()]
