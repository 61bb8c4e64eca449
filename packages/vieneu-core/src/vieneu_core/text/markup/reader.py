"""Reading of a text in pieces: passes on what is spoken, by the rules for each kind of markup."""

from __future__ import annotations

import re
from collections.abc import Mapping

from vieneu_core.text.markup.code import code, code_end
from vieneu_core.text.markup.entities import entity
from vieneu_core.text.markup.escapes import backslash
from vieneu_core.text.markup.links import bracket, bracket_end, kimi_reasoning, source
from vieneu_core.text.markup.math import dollar
from vieneu_core.text.markup.rule import MAX_WINDOW, MORE, Code, Found, Outcome, Rule, Skip, Window
from vieneu_core.text.markup.tags import end_of_reasoning, tag

_RULES: Mapping[str, Rule] = {
    "<": tag,
    "&": entity,
    "`": code,
    "~": code,
    "[": bracket,
    "!": bracket,
    "]": bracket_end,
    "\\": backslash,
    "$": dollar,
    "【": source,
    "◁": kimi_reasoning,
}
_BEGIN = re.compile("[" + re.escape("".join(_RULES)) + "]")
_CODE_BEGIN = re.compile(r"[`~\n\r]")
_KNOWN_BEFORE = 200
"""Characters before markup that a rule may look at."""
_MAY_BE_TEXT = ("[", "!", "$")
"""Begin of text, not of markup, where its sentence ends before that is decided."""


class Markup:
    """Removes the markup of one text."""

    def __init__(self) -> None:
        self._held = ""
        self._before = "\n"
        self._within: Skip | Code | None = None

    @property
    def pending(self) -> str:
        """Text that may be markup or not; empty while something is left out."""
        return "" if isinstance(self._within, Skip) else self._held

    def push(self, piece: str) -> str:
        """Return what is spoken of the text up to ``piece``, as far as that is decided."""
        self._held += piece
        if self._within is None and (cut := end_of_reasoning(self._held)):
            # Reasoning whose opening tag is in the prompt: what of it is not passed on yet.
            self._held = "\n" + self._held[cut:]
        return self._read(ended=False)

    def pause(self) -> str:
        """Return what is held if it may be speech; text that comes later continues it."""
        held = self.pending
        is_text = held.startswith(_MAY_BE_TEXT) and "](" not in held
        return self._read(ended=True) if is_text else ""

    def finish(self) -> str:
        """Return the rest at the end of the text."""
        return self._read(ended=True)

    def _read(self, *, ended: bool) -> str:
        passed: list[str] = []
        while self._held:
            if isinstance(self._within, Skip):
                decided = self._leave_out(self._within, ended=ended)
            else:
                decided = self._pass_on(passed, ended=ended)
            if not decided:
                break
        return "".join(passed)

    def _leave_out(self, skip: Skip, *, ended: bool) -> bool:
        """Drop text up to the end of what is left out; return whether that is there."""
        end = skip.end.search(self._held)
        if end is None:
            self._held = "" if ended else self._held[-skip.kept :]
            return False
        self._held = skip.put_back + self._held[end.start() if skip.spared else end.end() :]
        self._within = None
        return True

    def _pass_on(self, passed: list[str], *, ended: bool) -> bool:
        """Pass on text up to the next markup, and read that; return whether it is decided."""
        within = self._within if isinstance(self._within, Code) else None
        begin = (_BEGIN if within is None else _CODE_BEGIN).search(self._held)
        at = len(self._held) if begin is None else begin.start()
        self._pass(self._held[:at], passed)
        self._held = self._held[at:]
        if begin is None:
            return True
        outcome = self._outcome(within, ended=ended)
        if outcome is MORE:
            return False
        if outcome is None:
            outcome = Found(1, self._held[0])
        self._held = self._held[outcome.length :]
        if outcome.again:
            self._held = outcome.text + self._held
        else:
            self._pass(outcome.text, passed)
        if outcome.then is not None or within is not None:
            self._within = outcome.then
        return True

    def _outcome(self, within: Code | None, *, ended: bool) -> Outcome:
        text = self._held[:MAX_WINDOW]
        window = Window(text, self._before, ended=ended and len(text) == len(self._held))
        if within is None:
            return _RULES[text[0]](window)
        if text[0] in "\n\r":
            return Found(1, text[0], then=within if within.fenced else None)
        outcome = code_end(window, within)
        return Found(1, text[0], then=within) if outcome is None else outcome

    def _pass(self, text: str, passed: list[str]) -> None:
        if text:
            passed.append(text)
            self._before = (self._before + text)[-_KNOWN_BEFORE:]
