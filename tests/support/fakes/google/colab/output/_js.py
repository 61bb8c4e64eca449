"""JavaScript in the cell's output frame.

A script to evaluate goes to the page as a request, never into the notebook; here it is appended to
the file ``COLAB_EVALUATED``, as a line of JSON.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from google.colab import _message

_functions: dict[str, Callable[..., Any]] = {}


def eval_js(
    script: str,
    ignore_result: bool = False,
    timeout_sec: int | None = None,
) -> Any:
    """Evaluate a script in the output frame of the current cell."""
    with Path(os.environ.get("COLAB_EVALUATED", os.devnull)).open("a", encoding="utf-8") as file:
        file.write(json.dumps(script) + "\n")
    if ignore_result:
        return None
    return _message.blocking_request("cell_javascript_eval", {"script": script}, timeout_sec)


def register_callback(function_name: str, callback: Callable[..., Any]) -> None:
    """Let the page call a function; it runs only while no cell runs."""
    _functions[function_name] = callback


def unregister_callback(function_name: str) -> None:
    """Undo `register_callback`."""
    try:
        del _functions[function_name]
    except KeyError as error:
        raise ValueError(f"Callback function not registered: {function_name}.") from error
