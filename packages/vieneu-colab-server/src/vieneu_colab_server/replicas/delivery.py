"""Sentences of one request: which have been passed on, and how the next ones are numbered."""

from __future__ import annotations

from dataclasses import replace

from vieneu_core.audio.pcm import AudioChunk
from vieneu_core.errors import UnpronounceableError


class Delivery:
    """Puts the speech of several calls together, as if it came from one."""

    def __init__(self) -> None:
        self.n_done = 0
        """Sentences that were passed on whole, or have no sounds."""
        self._first = 0
        self._sounding = False
        self._restarts = False
        self._last: AudioChunk | None = None
        self._silent: list[int] = []
        """Sentences without sounds before the first chunk; their ends are passed on with it."""
        self._silence: UnpronounceableError | None = None

    @property
    def begun(self) -> bool:
        """Whether anything was passed on."""
        return self._last is not None

    def begin(self) -> None:
        """Record that a call begins with the first sentence that was not passed on whole.

        What was heard of that sentence already is to be discarded.
        """
        self._first, self._restarts = self.n_done, self._sounding

    def add(self, chunk: AudioChunk) -> list[AudioChunk]:
        """Take the next chunk of the call; return those to pass on."""
        own = replace(chunk, sentence=self._first + chunk.sentence)
        if chunk.pcm or chunk.final:
            own = replace(own, restarted=chunk.restarted or self._restarts)
            self._restarts, self._sounding = False, not chunk.final
        if chunk.final:
            self.n_done = own.sentence + 1
        ends = self._ends(own)
        self._last = own
        return [*ends, own]

    def leave_out(self, n_sentences: int, error: UnpronounceableError) -> list[AudioChunk]:
        """Record that the next sentences have no sounds; return their ends, as far as known."""
        self._silent += range(self.n_done, self.n_done + n_sentences)
        self.n_done += n_sentences
        self._silence = error
        return [] if self._last is None else self._ends(self._last)

    def finish(self) -> None:
        """Check at the end that anything was spoken.

        Raises:
            UnpronounceableError: no sentence has sounds.
        """
        if self._silence is not None and self._silent:
            raise self._silence

    def _ends(self, like: AudioChunk) -> list[AudioChunk]:
        silent, self._silent = self._silent, []
        end = replace(like, pcm=b"", final=True, restarted=False, waiting=False)
        return [replace(end, sentence=index) for index in silent]
