"""Speak page: text to speech, and long jobs, in a browser."""
