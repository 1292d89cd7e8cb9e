import pytest
from parts import ManualClock
from platform_file import FilePlatform

from kilroy_gym import FaceError, KilroyFace, KilroyModule, PostData
from kilroy_gym.codecs import TextCodec
from kilroy_gym.faces import (
    DryRunFace,
    Journal,
    RateLimitedFace,
    ReviewedFace,
    StorageError,
    read_journal,
)
from kilroy_gym.live import LiveRun, PostInDoubt
from kilroy_gym.live.base import CHECKPOINT, JOURNAL
from kilroy_gym.modules import CategoricalModule, NgramModule, ThompsonModule

ANIMALS = ["cat", "dog", "duck"]


def live(tmp_path, face=None, module=None, **options):
    face = FilePlatform(tmp_path / "platform") if face is None else face
    module = CategoricalModule(ANIMALS, seed=3) if module is None else module
    return LiveRun(face, module, tmp_path / "run", post_rate=0.0, **options)


def test_a_run_goes_on_in_the_same_directory(tmp_path):
    first = live(tmp_path, FilePlatform(tmp_path / "platform", delay=0))
    first.warm_start(epochs=1)
    first.run(100)
    state = first.module.state()
    first.close()
    again = live(tmp_path, FilePlatform(tmp_path / "platform", delay=0))
    assert again.started
    assert again.posts == 100
    assert repr(again.module.state()) == repr(state)
    again.run(100)  # nothing is left to do
    again.run(155)
    assert again.posts == 150
    assert len(FilePlatform(tmp_path / "platform").contents()) == 150


def test_a_run_learns_what_people_like(tmp_path):
    run = live(tmp_path, FilePlatform(tmp_path / "platform", delay=0))
    run.warm_start(epochs=1)
    run.run(300)
    assert FilePlatform(tmp_path / "platform").contents()[-20:].count("duck") >= 18


def test_a_failure_of_the_platform_loses_nothing(tmp_path):
    class Failing(FilePlatform):
        failures = 3

        def post(self, data):
            post_id = super().post(data)
            if len(self.contents()) % 17 == 0 and self.failures:
                self.failures -= 1
                raise ConnectionResetError("after the server had accepted")
            return post_id

    face = Failing(tmp_path / "platform", delay=0)
    for _ in range(3):
        run = live(tmp_path, face)
        with pytest.raises(FaceError, match="after the server had accepted"):
            run.run(60)
        run.close()
    live(tmp_path, face).run(60)
    calm = tmp_path / "calm"
    calm.mkdir()
    live(calm, FilePlatform(calm / "platform", delay=0)).run(60)
    assert face.contents() == FilePlatform(calm / "platform").contents()


def test_a_second_process_is_refused(tmp_path):
    run = live(tmp_path)
    with pytest.raises(StorageError, match="in use"):
        live(tmp_path)
    run.close()
    live(tmp_path).close()


def test_a_refused_post_scores_the_penalty_and_is_never_sent(tmp_path):
    def no_ducks(post):
        return "no ducks" if post.x == "duck" else None

    run = live(
        tmp_path,
        FilePlatform(tmp_path / "platform", delay=0),
        ThompsonModule(ANIMALS, seed=0),
        around=lambda face: ReviewedFace(face, [no_ducks], penalty=-10),
    )
    run.run(200)
    posted = FilePlatform(tmp_path / "platform").contents()
    assert "duck" not in posted
    assert posted[-20:].count("dog") >= 18
    refused = [e for e in read_journal(tmp_path / "run" / JOURNAL) if e.refusal]
    assert {entry.refusal for entry in refused} == {"no ducks"}
    assert len(refused) + len(posted) == 200


@pytest.mark.parametrize(
    "around",
    [
        lambda face: ReviewedFace(face, [lambda post: "no" if post.x == "dog" else None]),
        lambda face: ReviewedFace(DryRunFace(face)),
    ],
)
def test_the_scores_of_what_was_never_sent_may_come_after_a_restart(tmp_path, around):
    class Crash(Exception):
        pass

    def crash(played):
        if played.number == 5:
            raise Crash

    def opened(name, clock):
        (tmp_path / name).mkdir(exist_ok=True)
        face = FilePlatform(tmp_path / name / "platform", delay=0)
        module = ThompsonModule(ANIMALS, seed=0)
        return LiveRun(face, module, tmp_path / name / "run", 10, 1.0, 25.0, around, clock)

    calm, clock = opened("calm", ManualClock()), ManualClock()
    calm.run(100)
    crashed = opened("crashed", clock)
    with pytest.raises(Crash):
        crashed.run(100, crash)
    crashed.close()
    again = opened("crashed", clock)
    again.run(100)
    assert repr(again.module.state()) == repr(calm.module.state())


@pytest.mark.filterwarnings("ignore:.*is not idempotent")
def test_where_the_platform_is_not_idempotent_a_post_in_doubt_stops_the_run(tmp_path):
    class Plain(KilroyFace):
        sent = 0

        def scrap(self, limit=None):
            yield 0, PostData("cat")

        def post(self, data):
            self.sent += 1
            if self.sent == 5:
                raise ConnectionResetError("nobody knows")
            return self.sent

        def score(self, post_id):
            return 1.0

    face = Plain()
    run = live(tmp_path, face)
    with pytest.raises(FaceError, match="nobody knows"):
        run.run(20)
    run.close()
    again = live(tmp_path, face)
    with pytest.raises(PostInDoubt, match=r"may have been made, and Plain is not idempotent"):
        again.run(20)
    assert face.sent == 5  # the four before were not made again
    (doubt,) = [e for e in read_journal(tmp_path / "run" / JOURNAL) if e.state == "in doubt"]
    again.close()
    journal = Journal(tmp_path / "run" / JOURNAL)
    journal.made(doubt.key, 5)  # somebody has looked
    journal.close()
    last = live(tmp_path, face)
    last.run(20)
    assert face.sent == 20


def test_stopping_finishes_the_post_in_flight(tmp_path):
    class Stopping(FilePlatform):
        run = None

        def post(self, data):
            if len(self.contents()) == 12:
                self.run.stop()
            return super().post(data)

    face = Stopping(tmp_path / "platform", delay=0)
    face.run = run = live(tmp_path, face)
    with pytest.raises(KeyboardInterrupt):
        run.run(50)
    assert len(face.contents()) == 13
    run.close()
    live(tmp_path, FilePlatform(tmp_path / "platform", delay=0)).run(50)
    assert len(face.contents()) == 50


def test_asked_to_stop_twice_a_run_ends_at_once(tmp_path):
    class Hanging(FilePlatform):
        run = None

        def post(self, data):
            post_id = super().post(data)
            if post_id == 12:
                self.run.stop()
                self.run.stop()  # the answer does not come, and somebody is in a hurry
            return post_id

    face = Hanging(tmp_path / "platform", delay=0)
    face.run = run = live(tmp_path, face)
    with pytest.raises(KeyboardInterrupt):
        run.run(50)
    run.close()
    (doubt,) = [e for e in read_journal(tmp_path / "run" / JOURNAL) if e.state == "in doubt"]
    assert doubt.number == 12
    live(tmp_path, FilePlatform(tmp_path / "platform", delay=0)).run(50)
    assert len(face.contents()) == 50


def test_a_run_that_waits_for_a_limit_ends_at_once(tmp_path):
    class Stopping(ManualClock):
        run = None

        def sleep(self, seconds):
            self.run.stop()

    def limited(face):
        return RateLimitedFace(face, tmp_path / "limits", per_hour=3, clock=clock)

    clock, face = Stopping(), FilePlatform(tmp_path / "platform", delay=0)
    clock.run = run = live(tmp_path, face, around=limited)
    with pytest.raises(KeyboardInterrupt):
        run.run(50)
    assert len(face.contents()) == 3


def test_what_a_face_should_not_give_is_named(tmp_path):
    class Wrong(FilePlatform):
        def scrap(self, limit=None):
            yield from ["a cat", "a dog"]

        def score(self, post_id):
            return None

    run = live(tmp_path, Wrong(tmp_path / "platform", delay=0))
    with pytest.raises(TypeError, match=r"scrap must yield \(post id, PostData\), got 'a cat'"):
        run.warm_start()
    with pytest.raises(FaceError, match="the score of post 1 must be a finite number, got None"):
        run.run(20)


def test_a_callback_stops_a_run_which_then_goes_on(tmp_path):
    run = live(tmp_path, FilePlatform(tmp_path / "platform", delay=0))
    run.run(100, callback=lambda played: played.number < 3)
    assert run.posts == 30
    run.close()
    again = live(tmp_path, FilePlatform(tmp_path / "platform", delay=0))
    assert again.posts == 30
    again.run(100)
    assert len(FilePlatform(tmp_path / "platform").contents()) == 100


def test_a_warm_start_skips_what_the_module_cannot_write(tmp_path):
    class Odd(FilePlatform):
        def scrap(self, limit=None):
            texts = ["a cat sleeps", "", "NUL\0", "x" * 400, "a dog sleeps"]
            yield from enumerate(map(PostData, texts))

    run = live(tmp_path, Odd(tmp_path / "platform", delay=0), NgramModule(TextCodec(300), seed=0))
    run.warm_start(epochs=1)
    assert run.module.metrics()["posts"] == 2


def test_what_cannot_work_is_refused_before_anything_is_sent(tmp_path):
    class Stateless(KilroyModule):
        def generate(self):
            return 0, PostData("cat")

        def mimic(self, posts):
            return self

        def reinforce(self, scores):
            return self

    with pytest.raises(NotImplementedError, match=r"state\(\) and set_state\(\)"):
        live(tmp_path, module=Stateless())
    run = live(tmp_path)
    run.warm_start(epochs=1)
    run.close()
    with pytest.raises(ValueError, match="holds a run of a CategoricalModule, not of a Thompson"):
        live(tmp_path, module=ThompsonModule(ANIMALS))
    (tmp_path / "run" / CHECKPOINT).write_text("{}")
    with pytest.raises(ValueError, match="is not a checkpoint of a run"):
        live(tmp_path)
    assert FilePlatform(tmp_path / "platform").contents() == []
