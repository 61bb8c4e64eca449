"""Whose answer is this, and what does it mean? Pure: no network, no clock.

A status alone says little: a tunnel's 404 is a dead tunnel, its 403 a rate limit. So the order is
the edge's own header, then our own problem documents, then the edge's signature in the body, then
content type and magic bytes; the status decides only between causes that are then left.

Sources: https://ngrok.com/docs/errors and
https://developers.cloudflare.com/support/troubleshooting/http-status-codes/
"""

from __future__ import annotations

import re
from collections.abc import Callable
from http import HTTPStatus

from vieneu_core.backends.remote.reply import (
    HTML,
    LONGEST_RETRY_AFTER_S,
    Reply,
    describe,
    retry_after_s,
    until_next_month_s,
)
from vieneu_core.errors import (
    AuthenticationError,
    BackendError,
    BackendUnavailableError,
    BadResponseError,
    FirstByteTimeoutError,
    InternalServerError,
    NotVieneuServerError,
    RateLimitedError,
    RedirectRefusedError,
    RequestError,
    TunnelError,
    TunnelLimitError,
    TunnelOfflineError,
    TunnelQuotaError,
    TunnelUpstreamError,
    VieneuError,
)
from vieneu_core.translatable import Translatable
from vieneu_core.wire.problem import parse_problem
from vieneu_core.wire.routes import NGROK_ERROR_HEADER, PROBLEM_JSON, WIRE_VERSION_HEADER
from vieneu_core.wire.version import check_server

_LIMIT_RESETS_S = 60.0
"""ngrok's limits on rates reset within a minute."""
_SHED_S = 5.0
"""Cloudflare names no time for its 200 requests in flight; they end as speech ends."""

_NGROK_CODE = re.compile(r"ERR_NGROK_(\d{1,6})")
_CLOUDFLARE_CODE = re.compile(rb"[Ee]rror(?: code)?:?(?:\s|<[^<>]{0,200}>)*(1\d{3})\b")


def explain(reply: Reply) -> VieneuError:
    """Return the exception that an answer stands for which is not what was asked for."""
    for judge in (_redirect, _ngrok, _own, _cloudflare, _by_content):
        error = judge(reply)
        if error is not None:
            break
    else:
        error = _by_status(reply)
    if isinstance(error, BackendError):
        error.backend = reply.backend
    if error.retry_after_s is None:
        error.retry_after_s = retry_after_s(reply.headers, reply.now)
    return error


# --- each judge returns None where the answer is not its business ----------------------------


def _redirect(reply: Reply) -> VieneuError | None:
    if not (300 <= reply.status < 400 and "Location" in reply.headers):  # noqa: PLR2004 - redirects
        return None
    # The target is not shown: it may carry a session or a token of its own.
    return RedirectRefusedError(
        Translatable(
            "{host} answered with a redirect ({status}); following it would carry the token"
            " to another place.",
            host=reply.host,
            status=reply.status,
        )
    )


def _ngrok(reply: Reply) -> VieneuError | None:
    found = _NGROK_CODE.search(reply.headers.get(NGROK_ERROR_HEADER, ""))
    if found is None and not reply.ours and HTML.match(reply.body):
        found = _NGROK_CODE.search(reply.body.decode(errors="replace"))
    if found is None:
        return None
    known = _NGROK.get(int(found[1]))
    if known is None:
        return TunnelError(
            Translatable(
                "ngrok answered in place of {host}: {found}.", host=reply.host, found=found[0]
            )
        )
    return known(reply, found[0])


def _offline(reply: Reply, code: str) -> VieneuError:
    return TunnelOfflineError(
        Translatable(
            "The tunnel {host} does not exist any more ({code}).", host=reply.host, code=code
        )
    )


def _upstream(reply: Reply, code: str) -> VieneuError:
    return TunnelUpstreamError(
        Translatable(
            "The tunnel {host} is up, but the server behind it gave no answer ({code}).",
            host=reply.host,
            code=code,
        )
    )


def _limit(reply: Reply, code: str) -> VieneuError:
    return TunnelLimitError(
        Translatable(
            "The tunnel {host} has reached its limit of requests per minute ({code}).",
            host=reply.host,
            code=code,
        ),
        retry_after_s=_LIMIT_RESETS_S,
    )


def _shed(reply: Reply, code: str) -> VieneuError:
    return TunnelLimitError(
        Translatable(
            "The tunnel {host} has too many requests in flight ({code}).",
            host=reply.host,
            code=code,
        ),
        retry_after_s=retry_after_s(reply.headers, reply.now) or _SHED_S,
    )


def _quota(reply: Reply, code: str) -> VieneuError:
    return TunnelQuotaError(
        Translatable(
            "The tunnel {host} has used up its allowance of this month ({code}).",
            host=reply.host,
            code=code,
        ),
        retry_after_s=until_next_month_s(reply.now),
    )


def _browser_page(reply: Reply, code: str) -> VieneuError:
    return BadResponseError(
        Translatable(
            "ngrok sent its page for browsers in place of {host} ({code}).",
            host=reply.host,
            code=code,
        )
    )


def _too_late(reply: Reply, code: str) -> VieneuError:
    return FirstByteTimeoutError(
        Translatable(
            "The tunnel {host} waited in vain for the server's first byte ({code}).",
            host=reply.host,
            code=code,
        )
    )


_Make = Callable[[Reply, str], VieneuError]
_NGROK: dict[int, _Make] = {
    3200: _offline,
    8012: _upstream,
    3004: _upstream,
    734: _limit,
    727: _quota,
    725: _quota,
    6024: _browser_page,
}
_CLOUDFLARE: dict[int, _Make] = {
    429: _shed,
    502: _upstream,
    504: _upstream,
    520: _upstream,
    521: _upstream,
    522: _upstream,
    523: _upstream,
    524: _too_late,
    525: _upstream,
    526: _upstream,
    530: _offline,
}
_CLOUDFLARE_BODY: dict[int, _Make] = {1015: _shed, 1016: _offline, 1033: _offline}


def _own(reply: Reply) -> VieneuError | None:
    """Judge what our own server wrote: a problem document, or at least the version header."""
    problem = _problem(reply)
    if reply.ours:
        try:
            check_server(reply.headers[WIRE_VERSION_HEADER])
        except BackendError as version:
            return version
    if problem is not None or not reply.ours:
        return problem
    if reply.status == HTTPStatus.UNAUTHORIZED:
        return AuthenticationError(
            Translatable("{host} does not accept the token.", host=reply.host)
        )
    if reply.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return InternalServerError(
            Translatable("{host} failed ({status}).", host=reply.host, status=reply.status)
        )
    return BadResponseError(
        Translatable(
            "{host} answered {status} with {what} ({content_type}).",
            host=reply.host,
            status=reply.status,
            what=describe(reply.body),
            content_type=reply.content_type,
        )
    )


def _problem(reply: Reply) -> VieneuError | None:
    if reply.content_type not in {PROBLEM_JSON, "application/json"} or reply.status < 400:  # noqa: PLR2004 - errors begin there
        return None
    error = parse_problem(reply.body, backend=reply.backend)
    # A code that we do not know counts only where the version header stands beside it.
    if type(error) is BadResponseError or (type(error) is RequestError and not reply.ours):
        return None
    if error.retry_after_s is not None:
        believed = 0.0 <= error.retry_after_s <= LONGEST_RETRY_AFTER_S
        error.retry_after_s = error.retry_after_s if believed else None
    return error


def _cloudflare(reply: Reply) -> VieneuError | None:
    signed = _CLOUDFLARE_CODE.search(reply.body)
    from_edge = "CF-RAY" in reply.headers or reply.headers.get("Server", "") == "cloudflare"
    named = b"cloudflare" in reply.body.lower() or reply.body.startswith(b"error code: ")
    if signed and (from_edge or named) and int(signed[1]) in _CLOUDFLARE_BODY:
        code = signed[1].decode()
        return _CLOUDFLARE_BODY[int(code)](reply, Translatable("error {code}", code=code))
    make = _CLOUDFLARE.get(reply.status)
    page = reply.content_type in {"text/html", "text/plain", ""}
    if make is None or not page or not (from_edge or named):
        return None
    return make(reply, Translatable("Cloudflare status {status}", status=reply.status))


def _by_content(reply: Reply) -> VieneuError | None:
    """Judge an answer that claims success, or asks for a login that is not ours."""
    if reply.status < 300:  # noqa: PLR2004 - success ends there
        kind = BadResponseError if reply.ours else NotVieneuServerError
        return kind(
            Translatable(
                "{host} answered with {what} ({content_type}), not with what was asked for.",
                host=reply.host,
                what=describe(reply.body),
                content_type=reply.content_type or "no content type",
            )
        )
    if reply.status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        return NotVieneuServerError(
            Translatable(
                "Something at {host} that is no VieNeu server refuses access ({status}).",
                host=reply.host,
                status=reply.status,
            )
        )
    return None


def _by_status(reply: Reply) -> VieneuError:
    """Judge what no one has signed: some gateway, or another server."""
    answer = Translatable(
        "{host} answered {status} with {what}.",
        host=reply.host,
        status=reply.status,
        what=describe(reply.body),
    )
    if reply.status in {HTTPStatus.BAD_GATEWAY, HTTPStatus.GATEWAY_TIMEOUT}:
        return _upstream(reply, Translatable("status {status} from a gateway", status=reply.status))
    if reply.status == HTTPStatus.SERVICE_UNAVAILABLE:
        return BackendUnavailableError(answer)
    if reply.status == HTTPStatus.TOO_MANY_REQUESTS:
        return RateLimitedError(answer)
    if reply.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return InternalServerError(answer)
    return NotVieneuServerError(answer)
