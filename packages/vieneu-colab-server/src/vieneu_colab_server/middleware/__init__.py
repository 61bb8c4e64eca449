"""ASGI middleware, which every request passes before its route."""
