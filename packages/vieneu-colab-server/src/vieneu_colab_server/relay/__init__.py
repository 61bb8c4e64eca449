"""The relay service: one process that serves the router to people and programs."""
