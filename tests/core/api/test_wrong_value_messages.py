"""Messages about wrong values: what was given, what is expected, and no secret."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import pytest
from wrong_values import unending

from vieneu_core import (
    EngineSpec,
    LocalBackend,
    RemoteBackend,
    Router,
    ScriptedBackend,
    Settings,
    SynthesisRequest,
    VieneuError,
    collect,
    save_settings,
)

pytestmark = pytest.mark.usefixtures("home")

MESSAGES: list[tuple[Callable[[], object], str, str]] = [
    (lambda: SynthesisRequest(text="a", speed="fast"), "speed is 'fast' (str)", "a number"),  # type: ignore[arg-type]
    (lambda: SynthesisRequest(text=None), "text is None", "a string, a tuple of"),  # type: ignore[arg-type]
    (lambda: SynthesisRequest(text=b"a"), "text is of type bytes", "a string"),  # type: ignore[arg-type]
    (lambda: SynthesisRequest(text="a", voice=1), "voice is 1 (int)", "the id of a voice"),  # type: ignore[arg-type]
    (lambda: SynthesisRequest(text=unending), "the function unending, not its result", ""),  # type: ignore[arg-type]
    (lambda: Router(local="espeak"), "local is 'espeak'", "LocalBackend('espeak')"),  # type: ignore[arg-type]
    (lambda: Router(local=LocalBackend), "the class LocalBackend", "a backend"),  # type: ignore[arg-type]
    (lambda: EngineSpec("espeak", "fast"), "options is 'fast'", "a dict"),  # type: ignore[arg-type]
    (
        lambda: Settings.model_validate({"backend_mode": "locl"}),
        "Settings.backend_mode",
        "local or remote",
    ),
    (lambda: save_settings({"local": {"engine": "a"}}), "changes['local']", "a string"),  # type: ignore[dict-item]
]


@pytest.mark.parametrize(("make", "given", "expected"), MESSAGES)
def test_a_message_says_what_was_given_and_what_is_expected(
    make: Callable[[], object], given: str, expected: str
) -> None:
    with pytest.raises(VieneuError) as caught:
        make()

    assert given in str(caught.value)
    assert expected in str(caught.value)


async def test_a_wrong_token_is_not_shown() -> None:
    for token in (["very-secret-token"], 12345678, b"very-secret-token"):
        with pytest.raises(VieneuError) as caught:
            RemoteBackend("https://abc.example", token)  # type: ignore[arg-type]
        for shown in ("secret", "1234"):
            assert shown not in str(caught.value)


async def test_a_wrong_piece_of_a_text_comes_after_what_was_written_before() -> None:
    async def written() -> AsyncIterator[str]:
        yield "Câu một. Câu hai"
        yield 2  # type: ignore[misc]

    async with ScriptedBackend() as backend:
        with pytest.raises(VieneuError, match="A piece of the text is 2"):
            await collect(backend.stream(SynthesisRequest(text=written())))
        assert backend.record.finished == ["Câu một.", "Câu hai"]
