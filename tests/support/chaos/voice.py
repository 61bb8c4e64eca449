"""The voices of the backends. A module of its own: a worker loads it, and starts without numpy."""

VOICES = {"remote": 0, "local": 16, "last_resort": -16}
"""Hertz by which each backend shifts its tones: less than half a step of their grid."""
