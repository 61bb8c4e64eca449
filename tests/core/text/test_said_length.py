"""Estimate of how long a sentence is spoken, against the longest speech of it."""

from __future__ import annotations

import random
from collections.abc import Callable

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


ALL_KINDS = [
    ("vi", "VTV3, HTV7, iPhone 15 Pro Max."),
    ("vi", "XML, ICU, API, DVD."),
    ("vi", "KBLGKU."),
    ("vi", "Ở."),
    ("vi", "Đèn, quạt, tivi, máy lạnh, cửa, rèm, bếp, chuông."),
    ("en", "NASA, FBI, WWW, HTTP."),
    ("en", "It costs $777,777,777."),
    ("en", "BMW, VPN."),
    ("en", "A."),
]
WORDS = {
    "vi": "cửa trước đang mở nhiệt độ phòng khách máy giặt đã xong trời hôm nay có mưa rào",
    "en": "the front door is open washing machine has finished strengths thoughts rain",
}
SHORT_FORMS = "NASA FBI WWW HTTPS USB GPS ATM VTV HTV UBND API XML VAT HDMI NATO BMW WC"


class Ear:
    """Measures how long eSpeak speaks, whose speech takes longest of all engines."""

    def __init__(self) -> None:
        self._engine = create({})
        self._info = self._engine.load(lambda _: None)

    def seconds(self, language: str, text: str) -> float:
        voice = choose_voice(self._info.voices, None, language, where="espeak")
        utterance = Utterance(text=spoken(text, language), voice=voice)
        pieces = self._engine.synthesize(utterance, lambda: False)
        n_bytes = sum(len(piece) for piece in pieces if isinstance(piece, bytes))
        return n_bytes / BYTES_PER_SAMPLE / self._info.sample_rate_hz


def test_what_is_short_to_write_is_said_for_no_longer_than_is_estimated() -> None:
    ear = Ear()
    for language, text in SHORT_TO_WRITE:
        said_s = ear.seconds(language, text)
        assert estimated_seconds((text,), 1.0) < said_s <= said_seconds(text, language, 1.0), text


def test_no_kind_of_sentence_is_said_for_longer_than_is_estimated() -> None:
    ear = Ear()
    for language, text in ALL_KINDS:
        assert ear.seconds(language, text) <= said_seconds(text, language, 1.0), text


def any_sentence(language: str, drawn: random.Random) -> str:
    """Return a sentence of words, short forms, numbers and amounts."""
    parts: list[Callable[[], str]] = [
        lambda: " ".join(drawn.choices(WORDS[language].split(), k=drawn.randint(1, 8))),
        lambda: drawn.choice(SHORT_FORMS.split()),
        lambda: str(drawn.randint(0, 10 ** drawn.randint(1, 9))),
        lambda: f"${drawn.randint(1, 999_999_999):,}" if language == "en" else "1.250.000 đ",
        lambda: f"{drawn.randint(0, 23)}:{drawn.randint(0, 59):02}",
        lambda: f"{drawn.randint(1, 28)}/{drawn.randint(1, 12)}/{drawn.randint(1990, 2030)}",
        lambda: f"{drawn.randint(-20, 100)} {drawn.choice(['°C', '%', 'km/h', 'kWh'])}",
    ]
    separator = drawn.choice([" ", ", "])
    return separator.join(drawn.choice(parts)() for _ in range(drawn.randint(1, 5))) + "."


@pytest.mark.parametrize("language", ["vi", "en"])
def test_of_any_sentences_99_in_100_are_said_for_no_longer_than_is_estimated(language: str) -> None:
    ear, drawn = Ear(), random.Random(16)
    texts = [any_sentence(language, drawn) for _ in range(300)]
    longer = [
        text for text in texts if ear.seconds(language, text) > said_seconds(text, language, 1.0)
    ]

    assert len(longer) <= 3, longer


def test_the_estimate_follows_the_rate_of_speech() -> None:
    text = "Cửa trước đang mở."

    assert said_seconds(text, "vi", 2.0) == pytest.approx(said_seconds(text, "vi", 1.0) / 2)


def test_a_sentence_with_nothing_to_say_is_no_failure() -> None:
    assert said_seconds("…", "vi", 1.0) < 1.0
