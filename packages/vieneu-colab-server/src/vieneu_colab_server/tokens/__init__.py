"""The bearer token: its file and its rotation."""
