import time

from kilroy_gym.clock import SystemClock, UnixClock


def test_the_unix_clock_tells_the_time_of_day_and_the_systems_never_goes_back():
    before = time.time(), time.monotonic()
    told = UnixClock().time(), SystemClock().time()
    after = time.time(), time.monotonic()
    assert before[0] <= told[0] <= after[0]
    assert before[1] <= told[1] <= after[1]
