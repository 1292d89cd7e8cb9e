"""Who closes a Face, and who does not."""

import gc

import gymnasium as gym
import pytest
from gymnasium.wrappers import RecordEpisodeStatistics, TimeLimit
from gymnasium.wrappers.vector import DictInfoToList
from parts import MoodyAudience, WallFace

from kilroy_gym import FaceEnv, FaceVectorEnv, KilroyModule, KilroyTrainer, PostData
from kilroy_gym.codecs import BinaryCodec
from kilroy_gym.faces import FaceWrapper, SimulatedFace


class Closable(WallFace):
    closed = 0

    def close(self):
        self.closed += 1


class Always(KilroyModule):
    drafts = 0

    def generate(self):
        self.drafts += 1
        return self.drafts, PostData(True)

    def mimic(self, posts):
        return self

    def reinforce(self, scores):
        return self


MAKERS = {
    "one post a step": lambda face: FaceEnv(face, BinaryCodec()),
    "one round a step": lambda face: FaceVectorEnv(face, 3, BinaryCodec()),
    "wrapped": lambda face: TimeLimit(
        RecordEpisodeStatistics(FaceEnv(FaceWrapper(face), BinaryCodec())), 5
    ),
    "wrapped rounds": lambda face: DictInfoToList(FaceVectorEnv(face, 3, BinaryCodec())),
    "separate": lambda face: gym.vector.SyncVectorEnv([lambda: FaceEnv(face, BinaryCodec())]),
}


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
def test_closing_an_environment_closes_the_face_once(make):
    face = Closable()
    env = make(face)
    env.reset()
    env.close()
    env.close()
    assert face.closed == 1


def test_whoever_keeps_the_face_says_so():
    face = Closable()
    FaceEnv(face, close_face=False).close()
    FaceVectorEnv(face, 2, close_face=False).close()
    assert face.closed == 0


def test_an_environment_that_is_forgotten_leaves_the_face_open():
    face = Closable()
    env = FaceVectorEnv(face, 2, BinaryCodec())
    env.reset()
    del env
    gc.collect()
    assert face.closed == 0


def test_the_environments_that_a_trainer_makes_leave_the_face_open():
    face = Closable()
    trainer = KilroyTrainer(face, Always())
    for update_rate in (2, 3):
        trainer.run(steps=1, post_rate=0, update_rate=update_rate)
    trainer.env.close()
    del trainer
    gc.collect()
    assert face.closed == 0


@pytest.mark.parametrize("slots", [None, 2])
def test_a_snapshot_leaves_both_faces_open(slots):
    class Simulated(SimulatedFace):
        closed = 0

        def close(self):
            self.closed += 1

    face = Simulated(MoodyAudience())
    env = FaceEnv(face, face.codec) if slots is None else FaceVectorEnv(face, slots, face.codec)
    twin = env.snapshot()
    twin.close()
    assert (face.closed, twin.face.closed) == (0, 0)
    env.close()
    assert (face.closed, twin.face.closed) == (1, 0)


def test_a_close_that_fails_can_be_tried_again():
    class Stuck(Closable):
        def close(self):
            super().close()
            if self.closed == 1:
                raise OSError("not yet")

    face = Stuck()
    env = FaceEnv(face, BinaryCodec())
    with pytest.raises(OSError, match="not yet"):
        env.close()
    env.close()
    env.close()
    assert face.closed == 2
