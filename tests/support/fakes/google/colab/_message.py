"""Requests to the page that shows the notebook, which block until it answers.

The page of the tests:

- ``COLAB_SECRET_<NAME>`` is a secret of the owner; ``COLAB_DENIED`` lists those that this notebook
  may not read.
- ``COLAB_DRIVE_REFUSED`` is the error with which the owner refuses access to Google Drive.
- ``COLAB_PAGE`` is a named pipe, from which each answer is read as JSON: a request blocks until one
  is written there. An empty answer is what remains of a page that is silent until the time is up.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from google.colab import errors


class MessageError(errors.Error):  # type: ignore[misc]  # seen as the package without types
    """The page answered with an error."""


def blocking_request(
    request_type: str,
    request: Any = "",
    timeout_sec: int | None = 5,
    parent: object = None,
) -> Any:
    """Ask the page, and return its answer; None if the time is up."""
    del timeout_sec, parent  # no test waits for a time
    if pipe := os.environ.get("COLAB_PAGE"):
        return json.loads(Path(pipe).read_text("utf-8") or "null")
    if request_type == "GetSecret":
        return _secret(request["key"])
    if request_type == "request_auth" and (refusal := os.environ.get("COLAB_DRIVE_REFUSED")):
        raise MessageError(refusal)
    return {}


def _secret(key: str) -> dict[str, Any]:
    value = os.environ.get(f"COLAB_SECRET_{key}")
    if value is None:
        return {"exists": False}
    if key in os.environ.get("COLAB_DENIED", "").split(","):
        return {"exists": True, "access": False}
    return {"exists": True, "access": True, "payload": value}
