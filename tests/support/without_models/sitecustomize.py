"""Hides what the large extras bring from a process that has this folder on PYTHONPATH.

So it is for most users, and `vieneu doctor`, which imports what each engine needs, takes a fraction
of a second in place of ten.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from types import ModuleType

HIDDEN = {"torch", "torchao", "transformers", "neucodec", "vieneu", "perth", "llama_cpp"}


class _Hides(MetaPathFinder):
    def find_spec(self, fullname: str, *_: Sequence[str] | ModuleType | None) -> None:
        if fullname in HIDDEN:
            raise ModuleNotFoundError(f"No module named {fullname!r}", name=fullname)


sys.meta_path.insert(0, _Hides())
