"""OpenAI's API for speech, so that its clients speak through this server."""

from __future__ import annotations

from vieneu_colab_server.relay.openai.routes import openai_api, openai_routes

__all__ = ["openai_api", "openai_routes"]
