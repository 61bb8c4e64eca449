"""Replicas of an engine in a Ray cluster, behind the server's own app; see `ray_app`."""
