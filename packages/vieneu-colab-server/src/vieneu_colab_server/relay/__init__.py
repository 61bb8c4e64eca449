"""Relay service: the router served to people and to other programs."""
