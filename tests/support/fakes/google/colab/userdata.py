"""Colab's Secrets."""

from __future__ import annotations

import re
import threading

from google.colab import _message, errors


class NotebookAccessError(Exception):
    """The notebook has no access to a secret."""

    def __init__(self, key: str) -> None:
        super().__init__(f"Notebook does not have access to secret {key}")


class SecretNotFoundError(errors.Error):  # type: ignore[misc]  # seen as the package without types
    """There is no such secret."""

    def __init__(self, key: str) -> None:
        super().__init__(f"Secret {key} does not exist.")


class TimeoutException(errors.Error):  # type: ignore[misc]  # seen as the package without types
    """The page did not answer."""

    def __init__(self, key: str) -> None:
        super().__init__(
            f"Requesting secret {key} timed out. Secrets can only be fetched when running from the"
            " Colab UI."
        )


_userdata_lock = threading.Lock()


def get(key: str) -> str:
    """Return a secret of the notebook's owner."""
    if not key or not isinstance(key, str):
        raise ValueError("Please enter a valid secret name")
    if re.search(r"\s", key):
        raise ValueError("Secret name cannot contain spaces or whitespace")
    with _userdata_lock:
        resp = _message.blocking_request("GetSecret", request={"key": key}, timeout_sec=10)
    if not resp:
        raise TimeoutException(key)
    if not resp.get("exists", False):
        raise SecretNotFoundError(key)
    if not resp.get("access", False):
        raise NotebookAccessError(key)
    return str(resp.get("payload", ""))
