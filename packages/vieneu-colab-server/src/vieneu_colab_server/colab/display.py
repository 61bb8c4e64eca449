"""Output of a cell: a line or a block that changes. Outside a notebook it is printed."""

from __future__ import annotations

import html
import sys
from typing import Any


def in_notebook() -> bool:
    """Whether the output of this program is a notebook's."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return shell is not None and getattr(shell, "kernel", None) is not None


class Block:
    """A part of the output whose HTML may change; its text is shown where HTML cannot be."""

    def __init__(self) -> None:
        self._handle: Any = None
        self._shown = ""

    def show(self, content: str, text: str) -> None:
        """Show HTML, or the text that stands for it; what was there before is replaced."""
        if content == self._shown:
            return
        self._shown = content
        if not in_notebook():
            print(text)
            return
        from IPython.display import display

        data = {"text/html": content, "text/plain": text}
        if self._handle is None:
            self._handle = display(data, raw=True, display_id=True)  # type: ignore[no-untyped-call]  # not theirs
        else:
            self._handle.update(data, raw=True)


class Line:
    """One line that changes."""

    def __init__(self) -> None:
        self._block = Block()

    def show(self, text: str) -> None:
        """Show a text in place of the one before it."""
        self._block.show(f"<div>{html.escape(text)}</div>", text)
