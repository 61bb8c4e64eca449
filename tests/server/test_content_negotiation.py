"""Which form of audio a client gets."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.exceptions import HTTPException

from vieneu_colab_server.content_negotiation import MEDIA_TYPES, negotiate
from vieneu_core.wire.routes import FRAMES_OPUS, FRAMES_PCM


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        (None, "audio/wav"),
        ("", "audio/wav"),
        ("*/*", "audio/wav"),
        ("audio/*", "audio/wav"),
        ("application/*", FRAMES_OPUS),
        (FRAMES_PCM, FRAMES_PCM),
        (f"{FRAMES_OPUS}, {FRAMES_PCM};q=0.9", FRAMES_OPUS),
        (f"{FRAMES_OPUS};q=0.2, {FRAMES_PCM};q=0.9", FRAMES_PCM),
        ("AUDIO/FLAC", "audio/flac"),
        ("text/html, audio/mpeg;q=0.1", "audio/mpeg"),
        ("*/*;q=0.1, audio/ogg", "audio/ogg"),
        ("audio/flac;level=1;q=0.5, audio/ogg; q=0.6", "audio/ogg"),
        ("audio/opus", "audio/ogg"),
        ("audio/x-wav", "audio/wav"),
        ("audio/mp3", "audio/mpeg"),
        ("audio/flac;q=high, audio/ogg;q=0.1", "audio/ogg"),
    ],
)
def test_the_form_that_the_client_likes_best(accept: str | None, media_type: str) -> None:
    assert negotiate(accept) == media_type


@pytest.mark.parametrize(
    "accept", ["image/png", "audio/wav;q=0", "*/*;q=1, audio/wav;q=0", "audio/amr"]
)
def test_nothing_fits(accept: str) -> None:
    with pytest.raises(HTTPException) as refused:
        negotiate(accept)

    assert refused.value.status_code == 406


@given(st.text(max_size=80))
def test_any_header_gets_a_form_or_a_refusal(accept: str) -> None:
    with suppress(HTTPException):
        assert negotiate(accept) in MEDIA_TYPES
