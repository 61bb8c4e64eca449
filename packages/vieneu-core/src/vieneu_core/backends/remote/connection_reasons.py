"""Reasons why no connection was established, as texts that can be translated."""

from __future__ import annotations

import os
import ssl

import aiohttp

from vieneu_core.translatable import Translatable

_OF_CERTIFICATES = {
    **dict.fromkeys((2, 20, 21), "its issuer is not known here"),
    9: "it is not valid yet",
    10: "it has expired",
    **dict.fromkeys((18, 19), "it is self-signed"),
    23: "it was revoked",
    **dict.fromkeys((62, 64), "it belongs to another host"),
}
"""By OpenSSL's codes ``X509_V_ERR_…``."""


def system_reason(err: aiohttp.ClientConnectorError) -> str:
    """Return the system's text for a failed connection; asyncio's own contains the address."""
    return os.strerror(err.errno) if err.errno else "none of its addresses accepts a connection"


def tls_reason(err: Exception) -> str:
    """Return why a certificate, or the TLS handshake, was not accepted."""
    certificate = getattr(err, "certificate_error", err.__cause__)
    if isinstance(certificate, ssl.SSLCertVerificationError):
        code = certificate.verify_code
        return _OF_CERTIFICATES.get(code) or Translatable("OpenSSL error {code}", code=code)
    if isinstance(err, aiohttp.ServerFingerprintMismatch):
        return "its fingerprint is another one"
    reason = getattr(certificate, "reason", None)
    if reason in {"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE"}:
        return "the server does not use TLS on this port"
    if reason:
        return Translatable("the handshake failed, {reason}", reason=reason)
    return "the handshake failed"
