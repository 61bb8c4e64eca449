"""ASGI middleware, which runs before the routes."""
