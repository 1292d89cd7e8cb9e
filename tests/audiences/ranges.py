"""What the arguments of the shipped audiences may be, as their pages say."""

from dataclasses import dataclass

from kilroy_gym.audiences import (
    BernoulliAudience,
    DelayedAudience,
    DriftAudience,
    GrowthAudience,
    TextAudience,
    TimingAudience,
    ToneAudience,
    TopicsAudience,
    ZigzagAudience,
)


@dataclass(frozen=True)
class Range:
    """From ``low`` to ``high``: integers where both are, else numbers."""

    low: float
    high: float
    or_zero: bool = False

    @property
    def whole(self) -> bool:
        return isinstance(self.low, int) and isinstance(self.high, int)


TOPICS = Range(2, 10_000)
NOISE = Range(0.0, 1000.0)
RANGES = {
    BernoulliAudience: {},
    TopicsAudience: {
        "topics": TOPICS,
        "likes": Range(0.01, 1_000_000.0),
        "spread": Range(0.0, 3.0),
        "dispersion": Range(0.01, 1000.0),
        "relation": Range(-1.0, 1.0),
        "focus": Range(0.0, 5.0),
    },
    ToneAudience: {
        "scales": Range(1, 100),
        "width": Range(0.01, 100.0),
        "noise": Range(0.0, 100.0),
        "offset": Range(0.0, 3.0),
    },
    TimingAudience: {
        "topics": Range(2, 1000),
        "sharpness": Range(0.0, 10.0),
        "noise": NOISE,
        "hours_between": Range(1, 168),
    },
    DriftAudience: {
        "topics": Range(2, 1000),
        "period": Range(10.0, 10_000_000.0),
        "jump_every": Range(2.0, 10_000_000.0, or_zero=True),
        "noise": NOISE,
    },
    GrowthAudience: {
        "topics": TOPICS,
        "followers": Range(10.0, 1_000_000_000.0),
        "posts": Range(1, 1_000_000_000),
        "noise": Range(0.0, 100.0),
    },
    DelayedAudience: {
        "topics": TOPICS,
        "longest": Range(0, 10_000),
        "noise": Range(0.01, 1000.0),
    },
    TextAudience: {
        "likes": Range(0.01, 1_000_000.0),
        "dispersion": Range(0.01, 1000.0),
        "max_length": Range(80, 10_000),
    },
    ZigzagAudience: {"vocabulary": Range(4, 1000), "length": Range(2, 1000)},
}
ARGUMENTS = [(kind, name) for kind, ranges in RANGES.items() for name in ranges]
