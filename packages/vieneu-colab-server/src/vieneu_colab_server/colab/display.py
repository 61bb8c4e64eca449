"""Output of a cell: a line or a block that can be updated. Outside a notebook it is printed."""

from __future__ import annotations

import html
import sys
from typing import Any


def in_notebook() -> bool:
    """Return whether the output of this program goes to a notebook."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return shell is not None and getattr(shell, "kernel", None) is not None


class Block:
    """A part of the output with replaceable HTML, or with text where HTML is not supported."""

    def __init__(self) -> None:
        self._handle: Any = None
        self._shown = ""

    def show(self, content: str, text: str) -> None:
        """Replace the content by HTML, or by the equivalent text."""
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
    """One line that can be replaced."""

    def __init__(self) -> None:
        self._block = Block()

    def show(self, text: str) -> None:
        """Replace the text."""
        self._block.show(f"<div>{html.escape(text)}</div>", text)
