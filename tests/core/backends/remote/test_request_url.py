"""What counts as a server's URL and token, and that neither of them is ever shown."""

from __future__ import annotations

import pytest
from pydantic import SecretStr

from vieneu_core.backends.remote import RemoteBackend, RemoteTimeouts
from vieneu_core.backends.remote.request_url import Endpoint
from vieneu_core.errors import ConfigurationError

TOKEN = "s3cret-token"


@pytest.mark.parametrize(
    ("given", "health", "host"),
    [
        ("https://abc.ngrok-free.app", "https://abc.ngrok-free.app/health", "abc.ngrok-free.app"),
        (" https://abc.app/ \n", "https://abc.app/health", "abc.app"),
        ("https://abc.app/health", "https://abc.app/health", "abc.app"),
        ("https://abc.app/docs/", "https://abc.app/health", "abc.app"),
        ("https://abc.app/tts/stream", "https://abc.app/health", "abc.app"),
        ("https://abc.app/voice/v1/", "https://abc.app/voice/v1/health", "abc.app"),
        ("https://abc.app:8443/voice/health", "https://abc.app:8443/voice/health", "abc.app:8443"),
        ("http://localhost:8000", "http://localhost:8000/health", "localhost:8000"),
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000/health", "127.0.0.1:8000"),
        ("http://[::1]:8000", "http://[::1]:8000/health", "[::1]:8000"),
        ("http://192.168.1.7:8000", "http://192.168.1.7:8000/health", "192.168.1.7:8000"),
        ("http://100.101.102.103", "http://100.101.102.103/health", "100.101.102.103"),
        ("http://gpu.local", "http://gpu.local/health", "gpu.local"),
        ("http://nas:9000", "http://nas:9000/health", "nas:9000"),
        ("https://xn--bcher-kva.example", "https://xn--bcher-kva.example/health", "bücher.example"),
    ],
)
def test_a_url_is_taken_as_people_paste_it(given: str, health: str, host: str) -> None:
    endpoint = Endpoint.of(given, TOKEN)

    assert str(endpoint.url("/health")) == health
    assert endpoint.host == host


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("", "empty"),
        ("   ", "empty"),
        ("abc", "https://"),
        ("ftp://abc.app", "neither"),
        ("https://", "host"),
        ("https://user:hunter2@abc.app", "password"),
        ("https://hunter2@abc.app", "password"),
        ("https://abc.app/?token=hunter2", "query"),
        ("https://abc.app/#hunter2", "fragment"),
        ("https://abc.app:hunter2", "cannot be read"),
        ("https://abc.app:0", "host"),
        ("https://abc.app:99999", "cannot be read"),
        ("https://[::1", "cannot be read"),
        ("https://a b.app", "space"),
        ("https://abc.app/\x00", "control"),
        ("https://" + "a" * 64 + ".app", "host"),
        ("https://abc..app", "host"),
        ("https://-abc.app", "host"),
        ("https://" + "a." * 1_500, "more than 2000"),
        ("http://abc.ngrok-free.app", "in clear"),
        ("http://8.8.8.8", "in clear"),
        ("http://[::ffff:8.8.8.8]", "in clear"),
    ],
)
def test_a_url_that_cannot_be_right_is_refused_in_words(given: str, words: str) -> None:
    with pytest.raises(ConfigurationError, match=words) as caught:
        Endpoint.of(given, TOKEN)

    shown = f"{caught.value} {caught.value!r} {caught.value.__cause__!r}"
    assert "hunter2" not in shown
    assert caught.value.remedy


@pytest.mark.parametrize(
    "token", ["", "two\nlines", "tab\ttab", "in two", "têken", "\x00", "x" * 5_000]
)
def test_a_token_that_could_break_a_header_is_refused(token: str) -> None:
    with pytest.raises(ConfigurationError, match="token") as caught:
        Endpoint.of("https://abc.app", SecretStr(token))

    assert not token or token not in str(caught.value)


def test_the_token_and_the_url_are_not_in_any_picture_of_the_backend() -> None:
    remote = RemoteBackend("https://abc.app/secret-path", TOKEN)
    endpoint = Endpoint.of("https://abc.app/secret-path", TOKEN)

    for shown in (repr(remote), str(remote), repr(endpoint)):
        assert TOKEN not in shown
        assert "secret-path" not in shown
        assert "abc.app" in shown


@pytest.mark.parametrize(
    "wrong",
    [
        {"total_s": 0},
        {"connect_s": -1},
        {"between_chunks_s": float("nan")},
        {"first_byte_s": 100},
        {"min_rate": 0},
    ],
)
def test_limits_that_cannot_work_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ConfigurationError, match=next(iter(wrong))):
        RemoteTimeouts(**wrong)


def test_the_usual_limits_leave_the_server_time_to_name_its_trouble() -> None:
    limits = RemoteTimeouts()

    assert limits.first_audio_within_s < limits.first_byte_s
    assert (limits.total_s, limits.connect_s, limits.between_chunks_s) == (60, 3, 2)
