"""Colab's secrets: here, variables whose names begin with COLAB_SECRET_."""

from __future__ import annotations

import os


class SecretNotFoundError(Exception):
    """There is no such secret."""


def get(key: str) -> str:
    """Return a secret of the notebook's owner."""
    try:
        return os.environ[f"COLAB_SECRET_{key}"]
    except KeyError:
        raise SecretNotFoundError(f"Secret {key} does not exist.") from None
