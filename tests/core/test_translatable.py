"""Texts that know their template and values, and what becomes of them between processes."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable

import pytest

from vieneu_core.errors import ModelLoadError, VoiceNotFoundError
from vieneu_core.i18n import translated
from vieneu_core.translatable import Translatable, from_parts, parts_of, shortened
from vieneu_core.wire.problem import MAX_WORDS, Problem, parse_problem, to_problem
from vieneu_core.worker.messages import Failed, decode, encode

REASON = Translatable("{host} answered with an error ({status})", host="hub.test", status=503)
TEXT = Translatable(
    "The download failed {n_tries} times: {error}.{kept}", n_tries=3, error=REASON, kept=""
)
VIETNAMESE = "Tải xuống thất bại 3 lần: hub.test trả về lỗi (503)."


def test_it_is_the_english_text() -> None:
    assert TEXT == "The download failed 3 times: hub.test answered with an error (503)."
    assert isinstance(TEXT, str)
    assert json.dumps(TEXT) == f'"{TEXT}"'


@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy])
def test_copies_can_be_translated_too(again: Callable[[str], str]) -> None:
    assert translated(again(TEXT), "vi") == VIETNAMESE


def test_values_that_are_no_text_and_no_number_are_kept_as_text() -> None:
    text = Translatable("{a} {b:.1f} {c!r}", a=ValueError("no"), b=0.25, c="x")
    assert text == "no 0.2 'x'"
    assert text.values == {"a": "no", "b": 0.25, "c": "x"}


def test_it_travels_as_json() -> None:
    parts = json.loads(json.dumps(parts_of(TEXT)))
    assert translated(from_parts(str(TEXT), parts), "vi") == VIETNAMESE
    assert parts_of("The text is empty.") is None
    assert from_parts("The text is empty.", None) == "The text is empty."


@pytest.mark.parametrize(
    "parts",
    [
        None,
        7,
        {},
        {"template": "x"},
        {"template": "x", "values": {}},
        {"template": "{n:>1000000000}", "values": {"n": "x"}},
        {"template": "{n:{width}}", "values": {"n": "x", "width": 10**9}},
        {"template": "{n.__class__}", "values": {"n": "x"}},
        {"template": "{n[0]}", "values": {"n": "x"}},
        {"template": "{n", "values": {"n": "x"}},
        {"template": "{0}", "values": {"0": "x"}},
        {"template": "{n:.1f}", "values": {"n": "x"}},
        {"template": "{n:f}", "values": {"n": 10**400}},
        {"template": "{m}", "values": {"n": "x"}},
        {"template": "{n}" * 10_000, "values": {"n": "x" * 10_000}},
        {"template": "{n}", "values": {"n": ["x"]}},
        {"template": "{n}", "values": dict.fromkeys(map(str, range(1000)), "x")},
        {"template": "{n}", "values": {"n": {"template": "{n}", "values": {"n": {}}}}},
    ],
)
def test_parts_of_a_stranger_that_do_not_make_the_text_are_left_out(parts: object) -> None:
    assert type(from_parts("x and y", parts)) is str


def test_what_is_short_enough_stays_translatable() -> None:
    assert shortened(TEXT, 100) is TEXT
    assert shortened(TEXT, 10) == "The downlo"


def test_an_error_of_the_worker_can_be_translated_by_the_host() -> None:
    sent = Failed(
        3, ModelLoadError.code, TEXT, Translatable("Install them: {command}", command="x")
    )
    got = decode(encode(sent)[4:])
    assert isinstance(got, Failed)
    error = got.error()
    assert str(error) == f"{TEXT} Install them: x"
    assert translated(error.detail, "vi") == VIETNAMESE
    assert translated(error.remedy, "vi") == "Cài các gói này: x"


def test_an_error_of_the_server_can_be_translated_by_the_client() -> None:
    detail = Translatable(
        "{where} has no voice {voice_id!r}. It has: {known}.",
        where="espeak",
        voice_id="ba",
        known="an",
    )
    body = to_problem(VoiceNotFoundError(detail), 404).model_dump_json(exclude_none=True).encode()
    error = parse_problem(body, backend="remote")
    assert isinstance(error, VoiceNotFoundError)
    assert error.detail == detail
    assert "ba" in translated(error.detail, "vi")
    assert translated(error.detail, "vi") != detail


def test_half_a_character_in_an_error_is_not_sent() -> None:
    half = "\ud800"
    error = VoiceNotFoundError(Translatable("No {a!r} {b}.", a=half, b=half), remedy=half)
    body = to_problem(error, 404).model_dump_json().encode()
    sent = parse_problem(body, backend="r")
    assert (sent.detail, sent.remedy) == ("No '\\ud800' ?.", "?")


def test_a_server_without_parts_and_one_with_wrong_parts_are_understood() -> None:
    plain = to_problem(VoiceNotFoundError("No voice."), 404)
    assert plain.parts is None
    long = to_problem(ModelLoadError(Translatable("{x}", x="y" * 3000)), 500)
    assert len(parse_problem(long.model_dump_json().encode(), backend="r").args[0]) == MAX_WORDS
    wrong = {**plain.model_dump(), "parts": {"detail": {"template": "{a}", "values": {"a": "b"}}}}
    assert parse_problem(wrong, backend="r").args[0] == "No voice."
    with pytest.raises(ValueError, match="parts"):
        Problem.model_validate({**plain.model_dump(), "parts": 7})
