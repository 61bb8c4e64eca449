"""Pages of the relay for people."""
