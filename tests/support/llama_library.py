"""llama-cpp-python is built from source, so it is not everywhere: what is tested where it is."""

from __future__ import annotations

from importlib.util import find_spec

import pytest

NEEDS_LLAMA_CPP = pytest.mark.skipif(
    find_spec("llama_cpp") is None,
    reason="llama-cpp-python is not installed: it has no wheels, and no C compiler was found",
)
