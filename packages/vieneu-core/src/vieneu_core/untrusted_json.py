"""Reading of JSON that was written elsewhere: by a peer, or in a file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

MAX_FILE_BYTES = 1 << 20
MAX_KEYS = 1_000
"""Most keys of one object: each is validated, and one that is unknown is an error of its own."""


class TooManyKeysError(ValueError):
    """An object has more than `MAX_KEYS` keys."""


def parse_json(text: bytes | str) -> Any:
    """Parse JSON, whatever it contains.

    Raises:
        ValueError: it is no JSON, nested more deeply than the interpreter allows, or an object has
            too many keys.
    """
    try:
        return json.loads(text, object_pairs_hook=_object)
    except RecursionError:
        pass  # its traceback has a thousand frames
    raise ValueError("JSON that is nested too deeply")


def has_too_many_keys(text: bytes) -> bool:
    """Return whether this is JSON that `parse_json` refuses for the number of its keys alone."""
    if text.count(b":") <= MAX_KEYS:
        return False
    try:
        parse_json(text)
    except TooManyKeysError:
        return True
    except ValueError:
        pass
    return False


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(pairs) > MAX_KEYS:
        raise TooManyKeysError(f"an object with more than {MAX_KEYS} keys")
    return dict(pairs)


def read_json(path: Path, *, max_bytes: int = MAX_FILE_BYTES) -> Any:
    """Parse a file. Blocking.

    Raises:
        OSError: it cannot be read.
        ValueError: it is larger than ``max_bytes``, or what `parse_json` refuses.
    """
    with path.open("rb") as file:
        text = file.read(max_bytes + 1)
    if len(text) > max_bytes:
        raise ValueError(f"more than {max_bytes} bytes of JSON")
    return parse_json(text)
