"""Wrappers around Faces, composed like Gymnasium's; `kilroy_gym.faces` has them all."""
