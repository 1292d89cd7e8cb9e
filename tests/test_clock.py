import time

from kilroy_gym.clock import SystemClock, UnixClock, steady


def test_the_unix_clock_tells_the_time_of_day_and_the_systems_never_goes_back():
    before = time.time(), time.monotonic()
    told = UnixClock().time(), SystemClock().time()
    after = time.time(), time.monotonic()
    assert before[0] <= told[0] <= after[0]
    assert before[1] <= told[1] <= after[1]


def test_a_duration_is_measured_by_what_cannot_be_set():
    class Wrong(UnixClock):
        def time(self):
            return 0.0

    measure = steady(Wrong())
    before = measure()
    assert 0 < before <= measure()
    assert steady(SystemClock())() <= time.monotonic()
