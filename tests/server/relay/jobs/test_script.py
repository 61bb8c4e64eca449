"""Texts, subtitles and dialogues as lines, and the sentences of which they consist."""

from __future__ import annotations

import pytest

from vieneu_colab_server.relay.jobs.job import NoteKind
from vieneu_colab_server.relay.jobs.plan import plan_of
from vieneu_colab_server.relay.jobs.script import Line, ScriptKind, decoded, parse_script
from vieneu_colab_server.relay.jobs.settings import JobSettings
from vieneu_core.errors import (
    EmptyTextError,
    InvalidRequestError,
    TextEncodingError,
    TextTooLongError,
)

LIMITS = JobSettings()


def lines(
    kind: ScriptKind,
    text: str,
    voices: dict[str, str] | None = None,
    limits: JobSettings = LIMITS,
    voice: str | None = None,
) -> list[Line]:
    return list(parse_script(kind, text, voice=voice, voices=voices or {}, limits=limits).lines)


def test_a_blank_line_ends_a_paragraph() -> None:
    text = "\ufeffChương một.\r\nMột dòng nữa.\r\n \r\n\r\nChương hai.\r\n"
    assert lines(ScriptKind.TEXT, text, voice="v") == [
        Line(1, "Chương một.\nMột dòng nữa.", "v"),
        Line(5, "Chương hai.", "v"),
    ]
    assert lines(ScriptKind.TEXT, "\n\n\n") == []


def test_subtitles_are_said_in_the_order_of_their_times() -> None:
    text = "1\n00:00:05,000 --> 00:00:06,000\nHai\n\n2\n00:00:01,000 --> 00:00:09,000\nMột\n"
    assert [(line.number, line.text, line.start_s) for line in lines(ScriptKind.SRT, text)] == [
        (6, "Một", 1.0),
        (2, "Hai", 5.0),
    ]


def test_the_lines_of_a_subtitle_are_one_text_and_a_dash_begins_a_turn() -> None:
    text = "1\n00:00:01,000 --> 00:00:09,000\nHôm nay trời\nrất đẹp.\n- Thế à?\n–Đi thôi!\n"
    assert [line.text for line in lines(ScriptKind.SRT, text)] == [
        "Hôm nay trời rất đẹp.\n- Thế à?\n–Đi thôi!"
    ]


def test_a_subtitle_that_starts_after_many_hours_is_refused() -> None:
    text = "1\n12:00:00,001 --> 12:00:02,000\nMột\n"
    with pytest.raises(InvalidRequestError, match=r"Line 2 .* after 12 hours"):
        lines(ScriptKind.SRT, text)


def test_a_turn_goes_on_until_the_next_name() -> None:
    text = (
        "Lan:  Xin chào.\nBạn khỏe không?\n\nBà  ba: Lúc 7:30, xem http://a.b/c:d.\nLAN:\nVâng.\n"
    )
    voices = {"lan": "v1", "Bà Ba": "v2"}
    assert lines(ScriptKind.DIALOGUE, text, voices) == [
        Line(1, "Xin chào.\nBạn khỏe không?", "v1", speaker="lan"),
        Line(4, "Lúc 7:30, xem http://a.b/c:d.", "v2", speaker="Bà Ba"),
        Line(5, "Vâng.", "v1", speaker="lan"),
    ]


def test_names_are_the_same_however_their_marks_are_encoded() -> None:
    [line] = lines(ScriptKind.DIALOGUE, "Ho\u0300a: Xin chào.", {"Hòa": "v"})
    assert line.voice == "v"


def test_speakers_without_a_voice_are_named() -> None:
    with pytest.raises(InvalidRequestError, match=r"no voice: Minh \(2\), Hoa \(4\)\.") as caught:
        lines(ScriptKind.DIALOGUE, "Lan: A.\nMinh: B.\nMinh: C.\nHoa: D.\n", {"Lan": "v"})
    assert "voice" in caught.value.remedy
    many = "\n".join(f"N{n}: a" for n in range(1000))
    with pytest.raises(InvalidRequestError, match="…") as caught:
        lines(ScriptKind.DIALOGUE, many)
    assert len(caught.value.detail) < 300


def test_a_dialogue_begins_with_a_name() -> None:
    with pytest.raises(InvalidRequestError, match=r"Line 2 .* names no speaker"):
        lines(ScriptKind.DIALOGUE, "\nXin chào.\nLan: A.", {"Lan": "v"})


@pytest.mark.parametrize("kind", list(ScriptKind))
def test_ten_megabytes_are_refused_before_they_are_read(kind: ScriptKind) -> None:
    with pytest.raises(TextTooLongError):
        lines(kind, "câu. " * 2_000_000)


def test_bytes_count_as_well_as_characters() -> None:
    with pytest.raises(TextTooLongError):
        lines(ScriptKind.TEXT, "😀" * 100, limits=JobSettings(max_script_bytes=399))


def test_a_million_subtitles_are_refused() -> None:
    text = "00:00:00,000 --> 00:00:01,000\na\n" * 1_000_000
    with pytest.raises(TextTooLongError):
        lines(ScriptKind.SRT, text)
    generous = JobSettings(max_script_bytes=10**9, max_script_chars=10**9)
    with pytest.raises(TextTooLongError, match="more than 20000"):
        lines(ScriptKind.SRT, text, limits=generous)


@pytest.mark.parametrize("kind", [ScriptKind.TEXT, ScriptKind.DIALOGUE])
@pytest.mark.parametrize("piece", ["a\n", "\n", "\n ", " ", ":", "a:", "a: b\n", "\x00\n\n"])
def test_an_attackers_text_takes_no_longer_than_another(kind: ScriptKind, piece: str) -> None:
    """Anything quadratic in its size would not end within the test's limit."""
    text = ("a: " if kind is ScriptKind.DIALOGUE else "") + piece * (290_000 // len(piece))
    generous = JobSettings(max_script_lines=10**6)
    try:
        assert len(lines(kind, text, {"a": "v"}, limits=generous)) <= len(text)
    except InvalidRequestError as error:
        assert len(error.detail) < 1000  # noqa: PT017 - either result is one


def test_half_of_a_surrogate_pair_is_refused() -> None:
    with pytest.raises(InvalidRequestError, match="surrogate"):
        lines(ScriptKind.TEXT, "a\ud800")


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ("Chào".encode(), "Chào"),
        (b"\xef\xbb\xbf" + "Chào".encode(), "Chào"),
        ("Chào".encode("utf-16"), "Chào"),
        (b"\xfe\xff" + "Chào".encode("utf-16-be"), "Chào"),
        (b"Xin ch\xe0o", "Xin chào"),
        (b"C\xf6a tr\xad\xedc \xaeang m\xeb", "Cửa trước đang mở"),
        (b"C\xf6\xfba tr\xf6\xf4\xf9c \xf1ang m\xf4\xfb", "Cửa trước đang mở"),
    ],
)
def test_files_are_decoded(data: bytes, text: str) -> None:
    assert decoded(data) == text


@pytest.mark.parametrize("data", [b"caf\xe9", b"\x89PNG\r\n\x1a\n\xff", b"\xff\xfea"])
def test_other_files_are_refused(data: bytes) -> None:
    with pytest.raises(TextEncodingError, match=r"The file is not UTF-(8|16-LE): byte [134] "):
        decoded(data)


def test_lines_become_sentences_with_their_voice_and_time() -> None:
    first = "1\n00:00:01,000 --> 00:00:02,000\nCâu một. Câu hai.\n\n"
    text = first + "2\n00:00:03,000 --> 00:00:04,000\n♪\n"
    script = parse_script(ScriptKind.SRT, text, voice="v", voices={}, limits=LIMITS)
    plan = plan_of(script, LIMITS)
    assert [(s.text, s.line, s.voice, s.start_s) for s in plan.sentences] == [
        ("Câu một.", 2, "v", 1.0),
        ("Câu hai.", 2, "v", None),
    ]
    [note] = plan.left_out
    assert (note.kind, note.line, note.text) == (NoteKind.LEFT_OUT, 6, "♪")


def test_control_characters_are_not_spoken() -> None:
    script = parse_script(
        ScriptKind.TEXT, "Xin\x00 chào\x1b[31m bạn\u202e.", voice=None, voices={}, limits=LIMITS
    )
    assert [sentence.text for sentence in plan_of(script, LIMITS).sentences] == [
        "Xin chào[31m bạn."
    ]


def test_too_many_sentences_are_refused() -> None:
    limits = JobSettings(max_script_lines=10)
    script = parse_script(
        ScriptKind.TEXT, "Đây là câu. " * 11, voice=None, voices={}, limits=limits
    )
    with pytest.raises(TextTooLongError, match="more than 10 sentences"):
        plan_of(script, limits)


def test_a_text_without_a_word_is_refused() -> None:
    script = parse_script(ScriptKind.TEXT, "***\n\n…", voice=None, voices={}, limits=LIMITS)
    with pytest.raises(EmptyTextError):
        plan_of(script, LIMITS)
