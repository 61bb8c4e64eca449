"""Playback of the audio of a request: how much of it its listener has heard."""

from __future__ import annotations


class Listener:
    """Listener of one request, who plays its audio as soon as it is made.

    Args:
        now_s: Time of the clock at which the request came.
    """

    def __init__(self, now_s: float) -> None:
        self.runs_out_at_s = now_s
        """Time of the clock at which all of its audio will have been played; without any audio,
        the time at which the request came."""

    def receive(self, seconds: float, now_s: float) -> None:
        """Count audio that was made for it, in seconds."""
        self.runs_out_at_s = max(self.runs_out_at_s, now_s) + seconds

    def take_back(self, seconds: float) -> None:
        """Discount audio that was made for it, but is not passed on, in seconds."""
        self.runs_out_at_s -= seconds
