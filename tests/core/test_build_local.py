"""The local backend that settings describe: an engine, or a Wyoming server."""

from __future__ import annotations

import pytest

from vieneu_core.backends.local import LocalBackend
from vieneu_core.backends.wyoming import WyomingBackend
from vieneu_core.builder import build_local
from vieneu_core.config import Settings
from vieneu_core.errors import ConfigurationError

URL = "tcp://127.0.0.1:10200"


def local(**fields: object) -> Settings:
    return Settings.model_validate({"local": fields})


def test_the_kind_decides_what_speaks() -> None:
    assert isinstance(build_local(Settings()), LocalBackend)
    assert isinstance(build_local(local(url=URL)), LocalBackend), "the URL alone changes nothing"
    assert isinstance(build_local(local(kind="wyoming", url=URL)), WyomingBackend)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"kind": "wyoming"}, "url: it is missing, and local.kind is wyoming"),
        ({"kind": "piper"}, "kind: found 'piper'. Write engine or wyoming."),
        ({"url": "piper:10200"}, "url: it does not begin with tcp://"),
        ({"url": "tcp://piper"}, "url: it names no port"),
        ({"url": "tcp://user:secret@piper:1"}, "url: it contains a user name or a password"),
        ({"url": "tcp://speech.example.com:1"}, "url: the text would cross the internet in clear"),
    ],
)
def test_what_cannot_be_used_is_named(fields: dict[str, str], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message) as raised:
        local(**fields)
    assert "secret" not in str(raised.value)


def test_a_url_is_kept_without_what_means_nothing() -> None:
    assert local(url=f" {URL}/ ").local.url == URL
