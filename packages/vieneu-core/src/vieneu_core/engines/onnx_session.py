"""Sessions of ONNX Runtime on the CPU, and its errors."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

_OUT_OF_MEMORY = ("Failed to allocate memory", "bad_alloc", "std::bad_alloc")


def open_session(path: Path, *, threads: int) -> Any:
    """Open a graph.

    Args:
        path: The ``.onnx`` file.
        threads: Number of threads; 0 means ONNX Runtime's default.

    Raises:
        ImportError: ONNX Runtime is not installed.
        Exception: it is no usable graph; the classes differ between versions of ONNX Runtime, and
            have no common base.
    """
    runtime: Any = import_module("onnxruntime")
    options = runtime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3  # errors only; its warnings are for authors of graphs
    return runtime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def is_out_of_memory(error: Exception) -> bool:
    """Return whether a graph failed because memory ran out."""
    return isinstance(error, MemoryError) or any(sign in str(error) for sign in _OUT_OF_MEMORY)
