"""Relay service: the router served to people and programs."""
