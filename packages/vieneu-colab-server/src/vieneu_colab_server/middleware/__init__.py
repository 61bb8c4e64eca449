"""ASGI middleware: what happens to every request before a route sees it."""
