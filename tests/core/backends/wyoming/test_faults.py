"""Whatever is wrong with a Wyoming server has a name, and ends in time."""

from __future__ import annotations

import pytest
from guard import GUARD_S
from tone_engine import expected, heard, same
from wyoming.event import Event
from wyoming.info import Info
from wyoming_voice import FAULTS, info_of, wyoming_program, wyoming_voice

from vieneu_core.backends.wyoming import WyomingBackend, WyomingTimeouts
from vieneu_core.errors import (
    BackendError,
    BadAudioError,
    BadResponseError,
    ConfigurationError,
    FirstByteTimeoutError,
    StreamInterruptedError,
    StreamStalledError,
    SynthesisFailedError,
    UnpronounceableError,
)
from vieneu_core.router import Router, RouterPolicy
from vieneu_core.synthesis import SynthesisRequest, collect
from vieneu_core.testing.scripted import ScriptedBackend

IMPATIENT = WyomingTimeouts(connect_s=GUARD_S, describe_s=GUARD_S, first_audio_s=0.3, stall_s=0.3)
PATIENT = WyomingTimeouts(
    connect_s=GUARD_S, describe_s=GUARD_S, first_audio_s=GUARD_S, stall_s=GUARD_S
)
ERRORS: dict[str, tuple[type[BackendError], str]] = {
    "hangs": (FirstByteTimeoutError, "did not answer within 0.3 s"),
    "stalls": (StreamStalledError, "did not answer within 0.3 s"),
    "chatters": (FirstByteTimeoutError, "did not answer"),
    "drops": (StreamInterruptedError, "closed the connection"),
    "dies": (StreamInterruptedError, "closed the connection"),
    "garbage": (BadResponseError, "does not speak the Wyoming protocol"),
    "nolength": (BadResponseError, "does not speak the Wyoming protocol"),
    "longheader": (BadResponseError, "longer than 1048576 bytes"),
    "longdata": (BadResponseError, "longer than 1048576 bytes"),
    "longpayload": (BadResponseError, "longer than 8388608 bytes"),
    "eightbit": (BadAudioError, "22050 Hz, 8 bits and 1 channels"),
    "norate": (BadAudioError, "0 Hz"),
    "manychannels": (BadAudioError, "99 channels"),
    "changes": (BadAudioError, "changes in a sentence"),
    "endless": (BadAudioError, "far too long"),
    "silent": (BadAudioError, "silent"),
    "short": (BadAudioError, "far too short"),
    "nothing": (BadAudioError, "far too short"),
    "half": (BadAudioError, "within a sample"),
    "refuse": (SynthesisFailedError, "No voice for this."),
    "unsayable": (UnpronounceableError, "no sounds"),
}
SLOW = {"hangs", "stalls", "chatters"}


def text_of(word: str) -> str:
    return f"Câu 11 này {word} thì không nghe được."


def timeouts_for(word: str) -> WyomingTimeouts:
    """Short limits where they shall pass; else none that a busy machine could exceed."""
    if word in SLOW:
        return IMPATIENT
    return WyomingTimeouts(first_audio_s=GUARD_S, stall_s=GUARD_S, describe_s=GUARD_S)


@pytest.mark.parametrize("word", FAULTS)
async def test_a_fault_has_a_name(word: str) -> None:
    kind, message = ERRORS[word]
    with wyoming_program() as (url, _):
        async with WyomingBackend(url, timeouts=timeouts_for(word)) as backend:
            with pytest.raises(kind, match=message) as raised:
                await collect(backend.stream(SynthesisRequest(text=text_of(word))))
            assert type(raised.value) is kind
            assert raised.value.backend == "local"


@pytest.mark.parametrize("word", sorted(set(FAULTS) - SLOW))
async def test_a_fallback_speaks_what_it_did_not(word: str) -> None:
    texts = ("Đây là câu 12 nhé.", text_of(word), "Và đây là câu 13.")
    with wyoming_program() as (url, _):
        router = Router(
            local=WyomingBackend(url, timeouts=timeouts_for(word)),
            last_resort=ScriptedBackend(name="last_resort"),
            policy=RouterPolicy(
                stall_s=GUARD_S,
                replaceable_stall_s=GUARD_S,
                first_audio_s=GUARD_S,
                latest_start_s=GUARD_S,
                load_wait_s=GUARD_S,
            ),
        )
        async with router:
            speech = await collect(router.stream(SynthesisRequest(text=texts)))

    assert same(heard(speech.pcm, speech.sample_rate_hz), [expected(text) for text in texts])
    assert [speaker.backend for speaker in speech.speakers][:2] == ["local", "last_resort"]
    assert speech.speakers[1].fallback


async def test_a_server_that_dies_is_left_and_asked_again_when_it_is_back() -> None:
    fallback = ScriptedBackend(name="last_resort")
    with wyoming_program() as (url, kill):
        router = Router(local=WyomingBackend(url, timeouts=PATIENT), last_resort=fallback)
        async with router:
            request = SynthesisRequest(text="Đây là câu 12 nhé.")
            assert not (await collect(router.stream(request))).fallback
            kill()
            assert (await collect(router.stream(request))).fallback
            with pytest.raises(BackendError):
                await router.check("local")
            assert router.active == "last_resort"
            with wyoming_program(int(url.rpartition(":")[2])):
                await router.check("local")
                assert router.active == "local"
                assert not (await collect(router.stream(request))).fallback


@pytest.mark.parametrize("n_voices", [500, 20_000])
async def test_a_description_is_bounded(n_voices: int) -> None:
    async with wyoming_voice() as site:
        site.info = info_of({f"vi_VN-{number}": ["vi_VN"] for number in range(n_voices)})
        backend = WyomingBackend(site.url, timeouts=PATIENT)
        if n_voices > 2_000:
            with pytest.raises(BadResponseError):
                await backend.load()
        else:
            await backend.load()
            assert len(await backend.voices()) == n_voices


async def test_a_description_in_no_form_of_ours() -> None:
    async with wyoming_voice() as site:
        site.info = _Damaged()
        with pytest.raises(BadResponseError, match="not in the protocol's form"):
            await WyomingBackend(site.url, timeouts=PATIENT).load()


class _Damaged(Info):
    def event(self) -> Event:
        return Event("info", {"tts": {"name": 5}})


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("", "does not begin with tcp://"),
        ("http://piper:10200", "does not begin with tcp://"),
        ("tcp://", "host name cannot exist"),
        ("tcp://piper", "names no port; that of the Piper app is 10200"),
        ("tcp://piper:0", "host name cannot exist"),
        ("tcp://piper:99999", "cannot be read as a URL"),
        ("tcp://pi per:10200", "a space"),
        ("tcp://user:secret@piper:10200", "a user name or a password"),
        ("tcp://piper:10200/speak", "more than a host and a port"),
        ("tcp://piper:10200?x=1", "more than a host and a port"),
        ("tcp://speech.example.com:10200", "cross the internet in clear"),
        ("tcp://8.8.8.8:10200", "cross the internet in clear"),
        ("tcp://" + "a" * 3_000 + ":1", "more than 2000 characters"),
    ],
)
def test_a_url_that_cannot_be_used_says_why(url: str, reason: str) -> None:
    with pytest.raises(ConfigurationError, match=reason) as raised:
        WyomingBackend(url)
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize(
    "url", ["tcp://core-piper:10200", "tcp://192.168.1.5:10200/", "tcp://[::1]:10200"]
)
def test_urls_of_servers_at_home(url: str) -> None:
    WyomingBackend(url)
