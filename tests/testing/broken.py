"""Reading what a check says."""

import pytest


def promises_broken(check, *arguments):
    """Returns the broken promises that a check lists, a line each."""
    with pytest.raises(AssertionError) as caught:
        check(*arguments)
    heading, *lines = str(caught.value).splitlines()
    assert f"breaks {len(lines)} promise" in heading
    assert all(line.startswith("- ") for line in lines)
    return [line[2:] for line in lines]


def one_promise_broken(check, *arguments):
    """Returns the one broken promise that a check lists."""
    lines = promises_broken(check, *arguments)
    assert len(lines) == 1, lines
    return lines[0]
