"""The relay service: the router, served to people and to programs."""
