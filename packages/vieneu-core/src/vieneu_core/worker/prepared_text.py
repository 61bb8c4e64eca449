"""Preparation of the text of a sentence: the only place where it is done, for every engine."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from vieneu_core.engines.base import EngineInfo
from vieneu_core.errors import EmptyTextError
from vieneu_core.text.spoken import spoken
from vieneu_core.worker.messages import Speak


def said(sentence: str, job: Speak, info: EngineInfo) -> str:
    """Prepare a sentence of a job.

    Raises:
        EmptyTextError: nothing in it can be spoken.
    """
    language = "vi" if job.voice is None else job.voice.language
    return spoken(sentence, language, emotions=info.emotions)


def upcoming(job: Speak, info: EngineInfo) -> Iterator[str]:
    """Prepare the next sentences, up to one that cannot be spoken: it is refused in its turn."""
    with contextlib.suppress(EmptyTextError):
        for sentence in job.upcoming:
            yield said(sentence, job, info)
