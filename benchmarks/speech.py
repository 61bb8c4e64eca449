"""Texts of the benchmarks, and the embedded voice in this process."""

from __future__ import annotations

from vieneu_core.engines.base import Utterance
from vieneu_core.engines.espeak import VOICES, EspeakEngine

ANNOUNCEMENT = "Cửa trước đang mở, bạn có muốn tôi khoá lại không?"
BULLETIN = (
    "Xin chào, tôi là giọng nói của ngôi nhà.",
    "Hôm nay ở Thành phố Hồ Chí Minh trời nhiều mây, nhiệt độ hai mươi lăm độ, chiều có mưa rào.",
    "Chỉ số bụi mịn ngoài trời là ba mươi tám, bạn có thể mở cửa sổ.",
    "Máy giặt đã chạy xong từ lúc bảy giờ ba mươi.",
    "Nhắc bạn: chín giờ sáng mai có hẹn khám răng ở quận Ba.",
    "Đèn hành lang và quạt phòng khách vẫn đang bật.",
    ANNOUNCEMENT,
)


def load_engine() -> tuple[EspeakEngine, int]:
    """Load the embedded voice into this process; return it and its sample rate in Hz."""
    engine = EspeakEngine()
    return engine, engine.load(lambda _: None).sample_rate_hz


def speak(engine: EspeakEngine, sentence: str) -> bytes:
    """Return the samples of a sentence, mono signed 16-bit little-endian."""
    said = engine.synthesize(Utterance(text=sentence, voice=VOICES[0]), lambda: False)
    return b"".join(said)
