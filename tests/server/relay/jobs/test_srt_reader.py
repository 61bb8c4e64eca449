"""Subtitle files as they are found in the world, and as an attacker writes them."""

from __future__ import annotations

import io
from collections.abc import Iterator
from itertools import cycle, islice

import av
import pytest

from vieneu_colab_server.relay.jobs.srt_reader import Cue, read_cues
from vieneu_core.errors import InvalidRequestError

PLAIN = """1
00:00:01,000 --> 00:00:02,500
Xin chào các bạn.

2
00:01:03,040 --> 01:02:05,678
Hôm nay
trời đẹp.
"""
CUES = [
    Cue(2, 1.0, 2.5, "Xin chào các bạn."),
    Cue(6, 63.04, 3725.678, "Hôm nay\ntrời đẹp."),
]


def cues(text: str) -> list[Cue]:
    return list(read_cues(text))


def texts(text: str) -> list[str]:
    return [cue.text for cue in read_cues(text)]


def read_by_ffmpeg(text: str) -> Iterator[tuple[float, str]]:
    with av.open(io.BytesIO(text.encode()), "r", format="srt") as container:
        for packet in container.demux():
            if packet.pts is not None and packet.time_base is not None:
                yield float(packet.pts * packet.time_base), bytes(packet).decode()


@pytest.mark.parametrize(
    "text",
    [
        PLAIN,
        "\ufeff" + PLAIN,
        PLAIN.replace("\n", "\r\n"),
        PLAIN.replace("\n", "\r"),
        PLAIN.replace(",", "."),
        PLAIN.replace("\n2\n", "\n99999\n"),
        PLAIN.replace("2,500", "2,500 X1:10 X2:20 Y1:1 Y2:2"),
        PLAIN.rstrip("\n"),
    ],
    ids=["plain", "bom", "crlf", "cr", "points", "numbering", "positions", "no-end"],
)
def test_cues_are_read_however_they_are_written(text: str) -> None:
    assert cues(text) == CUES
    if "\r" not in text.replace("\r\n", ""):
        assert [(c.start_s, c.text) for c in CUES] == list(read_by_ffmpeg(text)), "as FFmpeg does"


def test_missing_numbers_and_blank_lines_are_no_error() -> None:
    bare = "00:00:01,000 --> 00:00:02,000\nMột\n00:00:03,000 --> 00:00:04,000\nHai\n"
    assert texts(bare) == ["Một", "Hai"]
    tight = "1\n00:00:01,000 --> 00:00:02,000\nMột\n2\n00:00:03,000 --> 00:00:04,000\nHai\n"
    assert texts(tight) == ["Một", "Hai"]


def test_a_number_that_is_said_is_not_taken_for_the_number_of_a_subtitle() -> None:
    said = "1\n00:00:01,000 --> 00:00:02,000\nNăm\n2026\n\n2\n00:00:03,000 --> 00:00:04,000\n42\n"
    assert texts(said) == ["Năm\n2026", "42"]


def test_blank_lines_within_a_subtitle_are_kept() -> None:
    assert texts("1\n00:00:01,000 --> 00:00:09,000\nMột\n\nHai\n\n\n") == ["Một\n\nHai"]


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("<i>Xin</i> <font color='#ff0000'>chào</font>", "Xin chào"),
        (r"{\an8}Xin chào", "Xin chào"),
        ("Một &amp; hai", "Một & hai"),
        ("3 < 5 và 7 > 2", "3 < 5 và 7 > 2"),
        ("<script>alert(1)</script>", "alert(1)"),
    ],
)
def test_tags_are_not_said(written: str, said: str) -> None:
    assert texts(f"1\n00:00:01,000 --> 00:00:02,000\n{written}\n") == [said]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Xin chào.", "no line has times"),
        ("", "no line has times"),
        ("Lời nói đầu\n" + PLAIN, "Line 1 .* before the first times"),
        ("1\n2\n" + PLAIN, "Line 1 .* before the first times"),
        ("1\n-00:00:01,000 --> 00:00:02,000\nMột\n", "Line 2 .* negative"),
        ("1\n00:00:01,000 --> -00:00:02,000\nMột\n", "Line 2 .* negative"),
        ("1\n00:00:03,000 --> 00:00:02,000\nMột\n", "Line 2 .* ends before it starts"),
        ("1\n00:00:01,000 -> 00:00:02,000\nMột\n", "no line has times"),
        (PLAIN + "\n3\n00:00 --> 00:01\nBa\n", "Line 11 .* should be as"),
        ("1\n" + "9" * 5000 + ":00:01,000 --> 00:00:02,000\nMột\n", "Line 2 .* should be as"),
        ("1\n٠٠:00:01,000 --> 00:00:02,000\nMột\n", "Line 2 .* should be as"),
        ("1\n00:00:01,000 --> 00:00:02,000" + " " * 500 + "\nMột\n", "Line 2 .* should be as"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(text: str, message: str) -> None:
    with pytest.raises(InvalidRequestError, match=message):
        cues(text)


@pytest.mark.parametrize(
    "piece", ["1", "\n", " ", "1:", "1\n", "<", "<a", "{\\", "&", "-", "1\n00:00:01,000 --> \n"]
)
@pytest.mark.parametrize("head", ["", "1\n00:00:01,000 --> 00:00:02,000\n"])
def test_an_attackers_text_takes_no_longer_than_another(head: str, piece: str) -> None:
    """Anything quadratic in a million characters would not end within the test's limit."""
    text = head + "".join(islice(cycle(piece), 1_000_000))
    try:
        n_chars = sum(map(len, texts(text)))
    except InvalidRequestError:
        return
    assert n_chars <= len(text)
