"""Platforms: a Face from an audience."""

from kilroy_gym.faces.simulated import SimulatedFace

__all__ = ["SimulatedFace"]
