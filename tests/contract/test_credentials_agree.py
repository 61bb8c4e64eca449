"""A URL or a token means the same to everyone who reads one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from fake_clock import FakeClock
from pydantic import SecretStr, ValidationError

from vieneu_colab_server.address_callback import AddressCallback
from vieneu_colab_server.settings import ServerSettings
from vieneu_core.backends.remote import RemoteBackend
from vieneu_core.config import load_settings, save_settings
from vieneu_core.errors import AddressUpdateError, ConfigurationError, SettingsFileError
from vieneu_core.notebook import NotebookSettings
from vieneu_core.pairing import AddressUpdate, AddressUpdateInbox, signature
from vieneu_core.wire.version import WIRE_VERSION

TOKEN = "a-working-token-1234"
NOW = datetime(2026, 11, 1, tzinfo=UTC)


def url_of_settings(url: str, folder: Path) -> object:
    return save_settings({"colab.endpoint_url": url}, folder / "config.yaml")


def url_of_environment(url: str, folder: Path) -> object:
    return load_settings(folder / "none.yaml", {"COLAB_ENDPOINT_URL": url, "COLAB_AUTH_TOKEN": "x"})


def url_of_client(url: str, _: Path) -> object:
    return RemoteBackend(url, TOKEN)


def url_of_pairing(url: str, _: Path) -> object:
    # As from a sender that does not check it.
    update = AddressUpdate.model_construct(
        endpoint_url=url,
        server_version="0.1.0",
        wire_version=WIRE_VERSION,
        timestamp=NOW,
        nonce="x" * 22,
    )
    inbox = AddressUpdateInbox(SecretStr(TOKEN), clock=FakeClock(NOW), local=True)
    return inbox.open(update.body(), signature(update.body(), SecretStr(TOKEN)))


URL_READERS = [url_of_settings, url_of_environment, url_of_client, url_of_pairing]


@pytest.mark.parametrize("read", URL_READERS)
@pytest.mark.parametrize(
    "url",
    [
        "https://abc.ngrok-free.app",
        "abc.ngrok-free.app",
        " https://abc.app/voice/ ",
        "http://[::1]:8000",
        "https://h:8443",
    ],
)
def test_a_url_that_one_takes_all_take(
    url: str, read: Callable[[str, Path], object], tmp_path: Path
) -> None:
    read(url, tmp_path)


@pytest.mark.parametrize("read", URL_READERS)
@pytest.mark.parametrize(
    "url",
    [
        "speech.example.com",
        "ftp://abc.app",
        "http://example.com",
        "https://user:pass@abc.app",
        "https://abc.app/?",
        "https://abc..app",
        "https://abc.app:0",
        "https://abc.app/" + "a" * 2_000,
    ],
)
def test_a_url_that_one_refuses_all_refuse(
    url: str, read: Callable[[str, Path], object], tmp_path: Path
) -> None:
    with pytest.raises((ConfigurationError, AddressUpdateError)):
        read(url, tmp_path)


def callback_of_server(url: str) -> object:
    return AddressCallback(url, lambda: SecretStr(TOKEN))


def callback_of_notebook(url: str) -> object:
    return NotebookSettings(callback_url=SecretStr(url))


CALLBACK_READERS = [callback_of_server, callback_of_notebook]


@pytest.mark.parametrize("read", CALLBACK_READERS)
@pytest.mark.parametrize(
    "url",
    [
        " https://home.example/api/webhook/x\n",
        "http://home.example/hook?a=b",
        "http://[::1]:8123/hook",
    ],
)
def test_a_callback_that_one_takes_all_take(url: str, read: Callable[[str], object]) -> None:
    read(url)


@pytest.mark.parametrize("read", CALLBACK_READERS)
@pytest.mark.parametrize(
    "url",
    [
        "",
        "home/hook",
        "ftp://home/hook",
        "https://",
        "https://[bad/hook",
        "https://bad host/hook",
        "https://home:99999/hook",
        "https://home:0/hook",
        "https://home:abc/hook",
        "https://a_b..c/hook",
        "https://home/" + "a" * 3_000,
    ],
)
def test_a_callback_that_one_refuses_all_refuse(url: str, read: Callable[[str], object]) -> None:
    with pytest.raises((ConfigurationError, ValidationError)):
        read(url)


def test_a_token_is_never_sent_in_clear_and_the_settings_say_where_it_would_be(
    tmp_path: Path,
) -> None:
    path = tmp_path / "config.yaml"
    path.write_text("colab:\n  endpoint_url: http://example.com\n", "utf-8")

    with pytest.raises(SettingsFileError, match="in clear") as caught:
        load_settings(path)
    assert f"{path}, line 2, column 17, colab.endpoint_url: " in caught.value.detail


def token_of_settings(token: str, folder: Path) -> SecretStr:
    saved = save_settings({"colab.auth_token": token}, folder / "config.yaml")
    return saved.colab.auth_token


def token_of_client(token: str, _: Path) -> SecretStr:
    RemoteBackend("https://abc.app", token)
    return SecretStr(token.strip())


def token_of_server(token: str, _: Path) -> SecretStr:
    return ServerSettings(token=SecretStr(token)).token


def token_of_notebook(token: str, _: Path) -> SecretStr:
    kept = NotebookSettings(token=SecretStr(token)).token
    assert kept is not None
    return kept


TOKEN_READERS = [token_of_settings, token_of_client, token_of_server, token_of_notebook]


@pytest.mark.parametrize("read", TOKEN_READERS)
@pytest.mark.parametrize("token", [TOKEN, f" {TOKEN}\n", "x" * 16, "x" * 4096, "!~" * 8])
def test_a_token_that_one_takes_all_take_without_the_blanks_around_it(
    token: str, read: Callable[[str, Path], SecretStr], tmp_path: Path
) -> None:
    assert read(token, tmp_path).get_secret_value() == token.strip()


@pytest.mark.parametrize("read", TOKEN_READERS)
@pytest.mark.parametrize(
    "token", [f"{TOKEN} x", f"{TOKEN}\nx", f"{TOKEN}é", f"{TOKEN}\x7f", "x" * 4097]
)
def test_a_token_that_one_refuses_all_refuse(
    token: str, read: Callable[[str, Path], SecretStr], tmp_path: Path
) -> None:
    with pytest.raises((ConfigurationError, ValidationError)):
        read(token, tmp_path)


@pytest.mark.parametrize("read", [token_of_server, token_of_notebook])
def test_a_new_server_needs_a_token_that_nobody_guesses(
    read: Callable[[str, Path], SecretStr], tmp_path: Path
) -> None:
    with pytest.raises(ValidationError, match="fewer than 16 characters"):
        read("x" * 15, tmp_path)
