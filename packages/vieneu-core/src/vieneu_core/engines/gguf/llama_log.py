"""The log of llama.cpp, which states why something failed. One log serves a whole process."""

from __future__ import annotations

import ctypes
from collections import deque
from typing import Any

CALLBACK = ctypes.CFUNCTYPE(None, ctypes.c_int, ctypes.c_char_p, ctypes.c_void_p)
"""``ggml_log_callback`` of ``ggml.h``: level, text, user data."""
_MEMORY_SIGNS = (
    "failed to allocate",
    "unable to allocate",
    "Cannot allocate memory",
    "out of memory",
    "bad_alloc",
)


class LlamaLog:
    """The last log output of a library that contains llama.cpp.

    Args:
        set_log: Its function ``llama_log_set``.
    """

    def __init__(self, set_log: Any) -> None:
        self.lines: deque[str] = deque(maxlen=20)
        # Kept for the lifetime of the process: llama.cpp holds a bare pointer to it.
        self._on_line = CALLBACK(self._keep)
        set_log(self._on_line, ctypes.c_void_p(0))

    @property
    def is_out_of_memory(self) -> bool:
        """Whether it reports too little memory."""
        said = " ".join(self.lines)
        return any(sign in said for sign in _MEMORY_SIGNS)

    @property
    def first_error(self) -> str:
        """The first line that reports an error; "" if none does."""
        return next((line for line in self.lines if "error" in line or "fail" in line), "")

    def _keep(self, level: int, text: bytes, user_data: Any) -> None:
        del level, user_data
        if text.strip():
            self.lines.append(text.decode(errors="replace").strip())
