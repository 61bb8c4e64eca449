"""The sequence of an exposure: loaded, heard, opened, published."""

from __future__ import annotations

import asyncio

import pytest
from pydantic import SecretStr

from vieneu_colab_server.address_callback import AddressCallback, AddressCallbackError
from vieneu_colab_server.exposure import Exposure, PublicEvent
from vieneu_colab_server.i18n import cell_messages, event_text
from vieneu_colab_server.tunnels.base import NoTunnel
from vieneu_colab_server.tunnels.errors import AddressUnreachableError
from vieneu_core.audio.pcm import AudioChunk, Speaker
from vieneu_core.errors import SynthesisFailedError, VieneuError, VoiceNotFoundError
from vieneu_core.synthesis import Speech, SynthesisRequest
from vieneu_core.translatable import Translatable


class SequenceServer:
    """A server that records what it is asked for; it speaks no voice but the default one."""

    port = 4711
    ends_at = None
    token = SecretStr("token")

    def __init__(self, calls: list[str], failure: VieneuError | None = None) -> None:
        self.calls, self.failure = calls, failure

    async def start(self) -> None:
        self.calls.append("start")

    async def speak(self, request: SynthesisRequest) -> Speech:
        self.calls.append("speak")
        if self.failure is not None or request.voice is not None:
            raise self.failure or VoiceNotFoundError(
                Translatable(
                    "{where} has no voice {voice_id!r}. It has: {known}.",
                    where="gguf",
                    voice_id=request.voice,
                    known="a, b",
                )
            )
        return Speech(
            (
                AudioChunk(
                    bytes(480), 24_000, 0, Speaker(backend="a", engine="b", voice="c"), final=True
                ),
            )
        )


class SequenceTunnel(NoTunnel):
    """A tunnel that records its opening."""

    def __init__(self, calls: list[str]) -> None:
        self.calls = calls

    async def open(self, port: int) -> str:
        self.calls.append(f"open {port}")
        return await super().open(port)


async def test_it_is_loaded_then_heard_then_opened_then_published() -> None:
    calls: list[str] = []
    exposure = Exposure(
        SequenceServer(calls),
        SequenceTunnel(calls),
        voices=["nobody"],
        notify=lambda event: calls.append(event.kind),
    )

    await exposure.prepare()
    keeping = asyncio.create_task(exposure.keep())
    url = await exposure.opened()
    keeping.cancel()
    await asyncio.wait({keeping})

    assert url == "http://127.0.0.1:4711"
    assert calls == [
        *("loading", "start", "speak", "spoken", "speak", "voice_missing"),
        *("open 4711", "address"),
    ]
    assert exposure.url is None


async def test_a_server_that_does_not_speak_is_not_prepared() -> None:
    calls: list[str] = []
    server = SequenceServer(calls, SynthesisFailedError("No sound."))

    with pytest.raises(SynthesisFailedError):
        await Exposure(server, SequenceTunnel(calls)).prepare()
    assert calls == ["start", "speak"]


class RefusingCallback(AddressCallback):
    """Home Assistant, which refuses every address."""

    async def send(self, *_: object) -> None:
        raise AddressCallbackError(
            Translatable("Home Assistant at {host} {last}.", host="h", last="x")
        )


async def test_failures_keep_their_texts_for_a_reader_of_vietnamese() -> None:
    events: list[PublicEvent] = []
    exposure = Exposure(
        SequenceServer([]),
        NoTunnel(),
        voices=["nobody"],
        callback=RefusingCallback("https://h/hook", lambda: SecretStr("token")),
        notify=events.append,
    )

    await exposure.prepare()
    keeping = asyncio.create_task(exposure.keep())
    await exposure.opened()
    keeping.cancel()
    await asyncio.wait({keeping})

    failed = [event for event in events if event.kind in {"voice_missing", "address_not_sent"}]
    voice, address = (event_text(event, cell_messages("vi")) for event in failed)
    assert voice.endswith(" nobody: gguf không có giọng 'nobody'. Các giọng hiện có: a, b.")
    assert address.endswith(
        ": Home Assistant tại h x. Hãy nhập URL và mã truy cập bằng tay: vieneu connect URL"
    )


async def test_an_address_where_nobody_answers_is_never_published() -> None:
    events: list[PublicEvent] = []

    async def dead(url: str, *, server_may_be_away: bool = False) -> None:
        raise AddressUnreachableError(f"Nobody answers at {url} ({server_may_be_away}).")

    class Public:
        """A tunnel that is none of this machine's own addresses."""

        name = "public"

        async def open(self, port: int) -> str:
            return f"https://dead.example:{port}"

        async def lost(self) -> str:
            return "never"

        async def close(self) -> None:
            pass

    exposure = Exposure(SequenceServer([]), Public(), notify=events.append, check=dead)
    with pytest.raises(AddressUnreachableError, match="Nobody answers at https://dead"):
        await exposure.keep()
    assert events == []
    assert exposure.url is None
