"""Addresses as people write them: without a scheme."""

from __future__ import annotations

import pytest

from vieneu_core.credentials import parse_endpoint_url


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ("192.168.1.20:8000", "http://192.168.1.20:8000"),
        (" 192.168.1.20:8000/ ", "http://192.168.1.20:8000"),
        ("192.168.1.20", "http://192.168.1.20"),
        ("10.0.0.7:8000/speech", "http://10.0.0.7:8000/speech"),
        ("[fd00::1]:8000", "http://[fd00::1]:8000"),
        ("[2001:4860:4860::8888]:443", "https://[2001:4860:4860::8888]:443"),
        ("nas:8000", "http://nas:8000"),
        ("nas.local:8000", "http://nas.local:8000"),
        ("8.8.8.8:8000", "https://8.8.8.8:8000"),
        ("localhost", "http://localhost"),
        ("nas.local", "http://nas.local"),
        ("nas.lan/speech", "http://nas.lan/speech"),
        ("speech.example.com:8443", "https://speech.example.com:8443"),
        ("a-b-c.trycloudflare.com", "https://a-b-c.trycloudflare.com"),
        ("my-home.ngrok.app", "https://my-home.ngrok.app"),
        ("[fd00::1]", "http://[fd00::1]"),
        ("abc.ngrok-free.app", "https://abc.ngrok-free.app"),
        ("ABC.Ngrok-Free.app/", "https://ABC.Ngrok-Free.app"),
        ("https://abc.ngrok-free.app", "https://abc.ngrok-free.app"),
    ],
)
def test_a_bare_address_is_understood_and_the_token_never_crosses_the_internet_in_clear(
    given: str, url: str
) -> None:
    assert parse_endpoint_url(given) == url


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ("nas", "neither https:// nor a port"),
        ("config.yaml", "neither https:// nor a port"),
        ("archive.tar.gz", "neither https:// nor a port"),
        ("speech.example.com", "neither https:// nor a port"),
        ("trycloudflare.com", "neither https:// nor a port"),
        ("1.5", "does not begin with"),
        ("v1.2.3", "does not begin with"),
        ("v1.2.3:80", "does not begin with"),
        ("12:30", "does not begin with"),
        ("0x7f.1:8000", "does not begin with"),
        ("http:8000", "does not begin with"),
        ("HTTPS:443/speech", "does not begin with"),
        ("tel:12345", "does not begin with"),
        ("foo.bar/x?y", "query"),
        ("foo.bar#y", "query"),
        ("foo.bar:8000/x?y", "query"),
        ("nas:8000?y", "query"),
        ("192.168.1.20?y", "query"),
        ("[fd00::1]:8000/#y", "query"),
        ("my server", "contains a space"),
        ("me@nas.local:8000", "user name"),
        ("me:secret@192.168.1.20:8000", "user name"),
        ("me@example.com", "neither https:// nor a port"),
        ("nas:99999", "cannot be read"),
        ("nas:0", "cannot exist"),
        ("[fd00::zz]:8000", "does not begin with"),
        ("[::1::2]:8000", "does not begin with"),
        ("mailto:someone", "does not begin with"),
        ("a..b:8000", "does not begin with"),
        ("x" * 3000 + ".local:1", "characters"),
    ],
)
def test_what_is_no_address_is_refused(given: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        parse_endpoint_url(given)
