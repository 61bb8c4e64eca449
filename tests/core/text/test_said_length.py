from __future__ import annotations

import pytest

from vieneu_core.audio.pcm import BYTES_PER_SAMPLE
from vieneu_core.engines.base import Utterance
from vieneu_core.engines.espeak import create
from vieneu_core.text.passages import estimated_seconds
from vieneu_core.text.said_length import said_seconds
from vieneu_core.text.spoken import spoken
from vieneu_core.voices import choose_voice

SHORT_TO_WRITE = [
    ("vi", "Bây giờ là 7:45 ngày 28/11/2026, 31,5 °C, 85%, gió 25 km/h, 1013 hPa."),
    ("vi", "Điện 12,75 kWh, nước 348 l, hóa đơn 1.250.000 đ, hạn 15/12."),
    ("vi", "Gọi 0912 345 678 hoặc 1900 1234."),
    ("vi", "TP. HCM: UBND Q.1 họp lúc 14h30, TGĐ Cty CP FPT dự."),
    ("en", "It is 7:45 on 28/11/2026, 31.5 °C, 85%, 25 km/h."),
    ("en", "Call 0912 345 678 or 1900 1234."),
    ("en", "The bill is $1,250,000 for 348 l."),
]


def test_no_sentence_is_said_for_longer_than_is_estimated() -> None:
    engine = create({})
    info = engine.load(lambda _: None)
    for language, text in SHORT_TO_WRITE:
        voice = choose_voice(info.voices, None, language, where="espeak")
        utterance = Utterance(text=spoken(text, language), voice=voice)
        pieces = engine.synthesize(utterance, lambda: False)
        n_bytes = sum(len(piece) for piece in pieces if isinstance(piece, bytes))
        said_s = n_bytes / BYTES_PER_SAMPLE / info.sample_rate_hz

        assert estimated_seconds((text,), 1.0) < said_s <= said_seconds(text, language, 1.0), text


def test_the_estimate_follows_the_rate_of_speech() -> None:
    text = "Cửa trước đang mở."

    assert said_seconds(text, "vi", 2.0) == pytest.approx(said_seconds(text, "vi", 1.0) / 2)


def test_a_sentence_with_nothing_to_say_is_no_failure() -> None:
    assert said_seconds("…", "vi", 1.0) < 1.0
