"""Pauses from a real server to a real client: made once, whoever makes them, at every codec."""

from __future__ import annotations

import pytest
from guard import GUARD_S
from remote_site import PATIENT
from server_site import TOKEN, serving

from vieneu_core.audio import NATURAL_PAUSES, NO_PAUSES, Pauses
from vieneu_core.audio.pauses import QUIET
from vieneu_core.backends.remote import RemoteBackend
from vieneu_core.router import Mode, Router, RouterPolicy
from vieneu_core.synthesis import Speech, SynthesisRequest, collect
from vieneu_core.testing.scripted import ScriptedBackend
from vieneu_core.testing.tone import GAP_S
from vieneu_core.text import UserDictionary

TEXT = "Đây là câu 1 nhé. Còn câu 2 thì sao? Và đây là câu 3.\n\nSau cùng là câu 4."
LONGEST = Pauses(clause_s=2.0, sentence_s=2.0, question_s=2.0, paragraph_s=2.0)


def gaps(speech: Speech) -> list[float]:
    """Runs of silence between sounds that are longer than any within a tone, in seconds."""
    found, quiet = [], 0
    for sample in memoryview(speech.pcm).cast("h"):
        if abs(sample) <= QUIET:
            quiet += 1
            continue
        found.append(quiet / speech.sample_rate_hz)
        quiet = 0
    return [gap for gap in found[1:] if gap > 2 * GAP_S - 0.02]


async def said(server: Pauses, client: Pauses, codec: str, *, speed: float = 1.0) -> Speech:
    serves = Router(
        local=ScriptedBackend(name="local", sample_rate_hz=48_000),
        policy=RouterPolicy(pauses=server),
    )
    async with serving(serves) as site:
        remote = RemoteBackend(site.url, TOKEN, codec=codec, timeouts=PATIENT)  # type: ignore[arg-type]
        router = Router(
            local=ScriptedBackend(name="local"),
            remote=remote,
            mode=Mode.REMOTE,
            policy=RouterPolicy(pauses=client, fallback_enabled=False, stall_s=GUARD_S),
        )
        async with router:
            speech = await collect(router.stream(SynthesisRequest(text=TEXT, speed=speed)))
    assert {speaker.backend for speaker in speech.speakers} == {"remote"}
    return speech


@pytest.mark.parametrize("codec", ["opus", "pcm"])
@pytest.mark.parametrize("server", [NO_PAUSES, NATURAL_PAUSES])
async def test_client_and_server_may_both_make_them(codec: str, server: Pauses) -> None:
    found = gaps(await said(server, NATURAL_PAUSES, codec))
    assert found == pytest.approx([0.5, 0.6, 0.7], abs=0.03)


async def test_a_server_makes_them_for_a_client_that_makes_none() -> None:
    """But for the end of a request: what follows there only the client knows."""
    found = gaps(await said(NATURAL_PAUSES, NO_PAUSES, "pcm"))
    assert found == pytest.approx([2 * GAP_S, 0.6, 0.5], abs=0.03)


@pytest.mark.parametrize("speed", [0.5, 2.0])
async def test_the_longest_pauses_that_a_server_can_have_are_no_fault(speed: float) -> None:
    """A client takes audio that stays silent for a failure, but not this silence."""
    found = gaps(await said(LONGEST, LONGEST, "pcm", speed=speed))
    assert found == pytest.approx([2.0 / speed] * 3, abs=0.03)


async def test_a_dictionary_at_either_end_is_applied_once() -> None:
    local = ScriptedBackend(name="local")
    serves = Router(local=local, dictionary=UserDictionary.parse("tủ lạnh = máy lạnh"))
    async with serving(serves) as site:
        router = Router(
            local=ScriptedBackend(name="local"),
            remote=RemoteBackend(site.url, TOKEN, timeouts=PATIENT),
            mode=Mode.REMOTE,
            policy=RouterPolicy(fallback_enabled=False, stall_s=GUARD_S),
            dictionary=UserDictionary.parse("Aqara = a ca ra"),
        )
        async with router:
            await collect(router.stream(SynthesisRequest(text="Aqara ở tủ lạnh.")))
    assert local.record.finished == ["a ca ra ở máy lạnh."]
