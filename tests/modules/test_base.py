import pytest

from kilroy_gym import KilroyModule, PostData


class Counting(KilroyModule[int, str]):
    """Has the three original methods only."""

    def __init__(self):
        self.written = 0

    def generate(self):
        self.written += 1
        return f"draft {self.written}", PostData(self.written)

    def mimic(self, posts):
        return self

    def reinforce(self, scores):
        return self


class Echo(Counting):
    uses_observation = True

    def generate(self, observation):
        draft_id, _ = super().generate()
        return draft_id, PostData(observation, context=observation)


def test_a_module_without_the_three_methods_cannot_be_made():
    class Silent(KilroyModule):
        def generate(self):
            return 0, PostData(True)

    with pytest.raises(TypeError, match=r"mimic.*reinforce"):
        Silent()


def test_generate_many_writes_one_after_another():
    drafts = Counting().generate_many(3)
    assert [(draft_id, post.x) for draft_id, post in drafts] == [
        ("draft 1", 1),
        ("draft 2", 2),
        ("draft 3", 3),
    ]


def test_a_module_that_uses_observations_gets_one_for_each_post():
    assert [post.context for _, post in Echo().generate_many(2, ["a", "b"])] == ["a", "b"]


def test_a_module_that_does_not_never_sees_one():
    assert [post.x for _, post in Counting().generate_many(2, ["a", "b"])] == [1, 2]


def test_three_methods_are_enough():
    module = Counting()
    module.forget(["draft 1"])
    assert module.metrics() == {}


@pytest.mark.parametrize("use", [lambda m: m.state(), lambda m: m.set_state({})])
def test_a_module_without_a_state_says_what_to_add(use):
    with pytest.raises(NotImplementedError, match=r"Counting.*add both"):
        use(Counting())
