"""Reading of JSON that was written elsewhere: by a peer, or in a file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

MAX_FILE_BYTES = 1 << 20


def parse_json(text: bytes | str) -> Any:
    """Parse JSON, whatever it contains.

    Raises:
        ValueError: it is no JSON, or nested more deeply than the interpreter allows.
    """
    try:
        return json.loads(text)
    except RecursionError:
        pass  # its traceback has a thousand frames
    raise ValueError("JSON that is nested too deeply")


def read_json(path: Path, *, max_bytes: int = MAX_FILE_BYTES) -> Any:
    """Parse a file. Blocking.

    Raises:
        OSError: it cannot be read.
        ValueError: it is larger than ``max_bytes``, or no JSON.
    """
    with path.open("rb") as file:
        text = file.read(max_bytes + 1)
    if len(text) > max_bytes:
        raise ValueError(f"more than {max_bytes} bytes of JSON")
    return parse_json(text)
