"""Audio that cannot be the speech asked for is found out; real speech never is."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tones import in_parts, tone

from vieneu_core.audio.sanity_check import SpeechCheck, count_letters
from vieneu_core.audio.tempo import TempoStretcher
from vieneu_core.engines.base import Utterance
from vieneu_core.engines.espeak import VOICES, EspeakEngine, create
from vieneu_core.errors import BadAudioError
from vieneu_core.voices import Voice

RATE_HZ = 22_050

VIETNAMESE = """
Xin chào các bạn, hôm nay trời đẹp quá.|Nhiệt độ ngoài trời là 25,5 độ.|Bây giờ là 7:30 sáng.
Giá điện tháng này là 3.500.000 đồng.|Bụi PM2.5 đang ở mức 156, rất xấu.|Cửa nhà để xe chưa đóng!
Ông nói: "Đi thôi."|Rồi ông đi…|Quận Q.1 rất đông.|TP. Hồ Chí Minh có 9.389.717 người.|Vâng.|Ừ.
Không|Có|1|12|123|1.234.567.890|50%|Máy giặt đã xong.
Ai đang ở cửa trước vậy?|Chúc mừng năm mới 2027!
Số điện thoại là 0912 345 678.|WiFi nhà mình hỏng rồi.|Email của tôi là an@example.com.|à|ơi
Ngày 23/11/2026|Hẹn lúc 18h30|Tốc độ gió 12 km/h, hướng đông bắc|Pin còn 5%|Nguyễn Thị Minh Khai
UBND TP. HCM|NATO, WHO, USB, LED, TV|aaaaaaaaaaaaaaaaaaaaaaaaaaaa|hahahahahahahahahahahahaha
Ngoẵng nghèo nghuệch ngoạc|ABCDEFGHIJKLMNOPQRSTUVWXYZ|zzzzzzzzzzzzzzzz|ơ ớ ờ ở ỡ ợ|x-y-z|3+4=7
Đèn phòng khách đã bật, rèm đã kéo, điều hoà đặt ở 26 độ, và cửa chính đã khoá từ lúc mười giờ tối.
Mẹ ơi, con về rồi đây, hôm nay con được điểm mười môn toán, cô giáo khen con trước cả lớp nữa!
Nếu ngày mai trời không mưa thì cả nhà mình sẽ đi công viên, còn nếu mưa thì ở nhà xem phim vậy.
Một, hai, ba, bốn, năm, sáu, bảy, tám, chín, mười, mười một, mười hai, mười ba, mười bốn, mười lăm.
2\u00d73\u00d74 bằng 24|https://example.com/duong-dan/rat-dai?x=1&y=2|C++ và C#
½ cốc nước|№ 5|10°C|₫ 5.000
Thưa quý khách|Chào buổi sáng|Cảm ơn nhiều nhé|Tạm biệt|Đúng rồi|Sai|Hết giờ|Bắt đầu!|Dừng lại ngay
Chuông cửa|Trời sắp mưa rồi|Bé đã ngủ|Mấy giờ rồi nhỉ?|Thứ Bảy, 28/11|Tầng 3, phòng 305
Xe buýt số 86
Máy lọc không khí đang chạy ở mức cao nhất.|Còn 15 phút nữa là đến giờ học.|Ga sắp hết!|Lỗi 404|Ôi!
""".replace("\n", "|")

ENGLISH = """
The washing machine is done.|It is 7:30 in the morning.|Twenty-five degrees, and a light wind.|Yes.
No
The strengths of the lengthy scripts stretched throughout.|A|I|Queue|Schtschurowskia
Rhythm myths fly
Battery at 5%.|The front door is open!|Who is there?|3.14159265358979
World Health Organization (WHO)
Please close the windows, since rain is expected from six o'clock and wind will be strong tonight.
Hmm|Shhhh|brrr|pssst|www.example.com|v2.0.1-rc3|MMXXVI|NASA|e.g. this|Dr. Smith lives on Elm St.
""".replace("\n", "|")


def lines(text: str) -> list[str]:
    return [line for line in text.split("|") if line]


@pytest.fixture(scope="module")
def engine() -> EspeakEngine:
    engine = create({})
    assert engine.load(lambda _: None).sample_rate_hz == RATE_HZ
    return engine


@pytest.fixture(scope="module")
def voices() -> dict[str, Voice]:
    return {voice.language[:2]: voice for voice in reversed(VOICES)}


def check(sentence: str, parts: Iterator[bytes] | list[bytes], speed: float = 1.0) -> None:
    speech = SpeechCheck(sentence, speed=speed, sample_rate_hz=RATE_HZ)
    for part in parts:
        speech.add(part)
    speech.finish()


@pytest.mark.parametrize(
    ("language", "sentence"),
    [("vi", line) for line in lines(VIETNAMESE)] + [("en", line) for line in lines(ENGLISH)],
)
def test_real_speech_passes(
    engine: EspeakEngine, voices: dict[str, Voice], language: str, sentence: str
) -> None:
    utterance = Utterance(text=sentence, voice=voices[language])
    pcm = b"".join(engine.synthesize(utterance, lambda: False))
    for speed in (0.5, 1.0, 1.5, 2.0):
        stretcher = TempoStretcher(RATE_HZ, speed)
        check(sentence, [stretcher.push(pcm), stretcher.finish()], speed)


LONG = "Cửa nhà để xe chưa đóng, mời anh xuống đóng cửa giúp."


@pytest.mark.parametrize("seconds", [0.0, 0.04, 0.4])
def test_a_sentence_in_a_blink_is_found_out(seconds: float) -> None:
    with pytest.raises(BadAudioError, match="far too short"):
        check(LONG, in_parts(tone(440, seconds, RATE_HZ), 999 * 2))


def test_the_speed_asked_for_counts() -> None:
    pcm = [tone(440, 0.4, RATE_HZ)]
    check(LONG, pcm, speed=2.0)
    with pytest.raises(BadAudioError):
        check(LONG, pcm, speed=0.5)


@pytest.mark.parametrize("level", [0, 1, -8])
def test_silence_is_found_out(level: int) -> None:
    for sentence in (LONG, "Có"):
        with pytest.raises(BadAudioError, match="silent"):
            check(sentence, [level.to_bytes(2, "little", signed=True) * RATE_HZ * 5])


def test_silence_is_found_out_before_the_listener_has_waited_long() -> None:
    speech = SpeechCheck(LONG, speed=1.0, sample_rate_hz=RATE_HZ)
    tenth = bytes(RATE_HZ // 5)
    for _ in range(12):
        speech.add(tenth)
    with pytest.raises(BadAudioError, match="silent"):
        speech.add(tenth)


@pytest.mark.parametrize(("speed", "lead_s"), [(0.5, 2.3), (1.0, 1.1), (2.0, 0.5)])
def test_a_pause_before_the_first_word_is_no_fault(speed: float, lead_s: float) -> None:
    pcm = bytes(2 * int(lead_s * RATE_HZ)) + tone(440, 3.0, RATE_HZ)
    check(LONG, in_parts(pcm, 999 * 2), speed=speed)


def test_what_need_not_be_said_may_be_silent_for_long() -> None:
    check("…", in_parts(bytes(RATE_HZ * 8), 999 * 2))


def test_a_single_loud_sample_anywhere_is_not_silence() -> None:
    check("Có", [bytes(RATE_HZ), b"\x00\x80", bytes(RATE_HZ)])


@pytest.mark.parametrize("sentence", ["Có", "1", "à"])
def test_a_short_word_must_be_heard_at_all(sentence: str) -> None:
    check(sentence, [tone(440, 0.03, RATE_HZ)])
    with pytest.raises(BadAudioError, match="far too short"):
        check(sentence, [b""])


@pytest.mark.parametrize("sentence", ["%", "สวัสดีครับ", "…"])
def test_what_a_voice_may_leave_out_is_not_judged(sentence: str) -> None:
    check(sentence, [])


def test_letters_and_digits_are_counted_however_they_are_written() -> None:
    assert count_letters("Tiê\u0301ng 25,5% - 你好!") == 8
