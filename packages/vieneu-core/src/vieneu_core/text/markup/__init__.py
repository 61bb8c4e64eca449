"""Removal of markup from text that may still be written: HTML, SSML, Markdown, LaTeX, JSON escapes.

``Markup`` takes the text in pieces of any size, and what it returns does not depend on them. Text
that is no markup passes at once; what begins like markup is held until that is decided, at most
`rule.MAX_WINDOW` characters. Where it is not certain to be markup it is kept: no speech is lost.
"""

from __future__ import annotations

from vieneu_core.text.markup.reader import Markup

__all__ = ["Markup"]
