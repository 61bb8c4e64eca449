"""Names of the supported player programs."""

PLAYERS = ("pw-cat", "paplay", "aplay", "ffplay")
"""Programs that can play raw samples from a pipe, in the order of preference."""
