"""Mapping of HTTP responses to exceptions. Pure: no network, no clock.

A status alone is ambiguous: a tunnel's 404 is a dead tunnel, its 403 a rate limit. So the order is
the edge's header, then our problem documents, then the edge's signature in the body, then
content type and magic bytes; the status decides only between the remaining causes.

Sources: https://github.com/ngrok/ngrok-docs (errors/) as of 2026-08-07, and
https://developers.cloudflare.com/support/troubleshooting/http-status-codes/
"""

from __future__ import annotations

import re
from collections.abc import Callable
from http import HTTPStatus

from vieneu_core.backends.remote.response_head import (
    HTML,
    ResponseHead,
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
"""ngrok's rate limits reset within a minute."""
_SHED_S = 5.0
"""Estimate: Cloudflare states no time for its limit of 200 requests in flight."""

_NGROK_CODE = re.compile(r"ERR_NGROK_(\d{1,6})")
_CLOUDFLARE_CODE = re.compile(rb"[Ee]rror(?: code)?:?(?:\s|<[^<>]{0,200}>)*(1\d{3})\b")


def explain(response: ResponseHead) -> VieneuError:
    """Return the exception for a response that is not the requested one."""
    for judge in (_redirect, _ngrok, _own, _cloudflare, _by_content):
        error = judge(response)
        if error is not None:
            break
    else:
        error = _by_status(response)
    if isinstance(error, BackendError):
        error.backend = response.backend
    if error.retry_after_s is None:
        error.retry_after_s = retry_after_s(response.headers, response.now)
    return error


# --- each judge returns None where the answer is not its business ----------------------------


def _redirect(response: ResponseHead) -> VieneuError | None:
    if not (300 <= response.status < 400 and "Location" in response.headers):  # noqa: PLR2004 - redirects
        return None
    # The target is not shown: it may contain a session id or a token.
    return RedirectRefusedError(
        Translatable(
            "{host} answered with a redirect ({status}); following it would send the token"
            " elsewhere.",
            host=response.host,
            status=response.status,
        )
    )


def _ngrok(response: ResponseHead) -> VieneuError | None:
    found = _NGROK_CODE.search(response.headers.get(NGROK_ERROR_HEADER, ""))
    if found is None and not response.ours and HTML.match(response.body):
        found = _NGROK_CODE.search(response.body.decode(errors="replace"))
    if found is None:
        return None
    known = _NGROK.get(int(found[1]))
    if known is None:
        return TunnelError(
            Translatable(
                "ngrok answered instead of {host}: {found}.", host=response.host, found=found[0]
            )
        )
    return known(response, found[0])


def _offline(response: ResponseHead, code: str) -> VieneuError:
    return TunnelOfflineError(
        Translatable(
            "The tunnel {host} does not exist any more ({code}).", host=response.host, code=code
        )
    )


def _upstream(response: ResponseHead, code: str) -> VieneuError:
    return TunnelUpstreamError(
        Translatable(
            "The tunnel {host} is open, but the server behind it did not respond ({code}).",
            host=response.host,
            code=code,
        )
    )


def _limit(response: ResponseHead, code: str) -> VieneuError:
    return TunnelLimitError(
        Translatable(
            "The tunnel {host} has reached its limit of requests per minute ({code}).",
            host=response.host,
            code=code,
        ),
        retry_after_s=_LIMIT_RESETS_S,
    )


def _shed(response: ResponseHead, code: str) -> VieneuError:
    return TunnelLimitError(
        Translatable(
            "The tunnel {host} has too many requests in flight ({code}).",
            host=response.host,
            code=code,
        ),
        retry_after_s=retry_after_s(response.headers, response.now) or _SHED_S,
    )


def _quota(response: ResponseHead, code: str) -> VieneuError:
    return TunnelQuotaError(
        Translatable(
            "The tunnel {host} has used up its quota of this month ({code}).",
            host=response.host,
            code=code,
        ),
        retry_after_s=until_next_month_s(response.now),
    )


def _browser_page(response: ResponseHead, code: str) -> VieneuError:
    return BadResponseError(
        Translatable(
            "ngrok sent its page for browsers instead of the response of {host} ({code}).",
            host=response.host,
            code=code,
        )
    )


def _too_late(response: ResponseHead, code: str) -> VieneuError:
    return FirstByteTimeoutError(
        Translatable(
            "The tunnel {host} waited in vain for the server's first byte ({code}).",
            host=response.host,
            code=code,
        )
    )


_Make = Callable[[ResponseHead, str], VieneuError]
_NGROK: dict[int, _Make] = {
    **dict.fromkeys((3200, 3209, 724, 708), _offline),
    **dict.fromkeys((8012, 3004, 3005, 3006, 3007, 3008, 3009, 3210), _upstream),
    **dict.fromkeys((734, 702, 703, 715, 717), _limit),
    714: _shed,
    716: _shed,
    **dict.fromkeys((*range(725, 734), *range(735, 741)), _quota),
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


def _own(response: ResponseHead) -> VieneuError | None:
    """Map a response of a VieNeu server: a problem document, or at least the version header."""
    problem = _problem(response)
    if response.ours:
        try:
            check_server(response.headers[WIRE_VERSION_HEADER])
        except BackendError as version:
            return version
    if problem is not None or not response.ours:
        return problem
    if response.status == HTTPStatus.UNAUTHORIZED:
        return AuthenticationError(
            Translatable("{host} does not accept the token.", host=response.host)
        )
    if response.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return InternalServerError(
            Translatable("{host} failed ({status}).", host=response.host, status=response.status)
        )
    return BadResponseError(
        Translatable(
            "{host} answered {status} with {what} ({content_type}).",
            host=response.host,
            status=response.status,
            what=describe(response.body),
            content_type=response.content_type,
        )
    )


def _problem(response: ResponseHead) -> VieneuError | None:
    if response.content_type not in {PROBLEM_JSON, "application/json"} or response.status < 400:  # noqa: PLR2004 - errors begin there
        return None
    error = parse_problem(response.body, backend=response.backend)
    # An unknown code counts only if the version header is present.
    if type(error) is BadResponseError or (type(error) is RequestError and not response.ours):
        return None
    return error


def _cloudflare(response: ResponseHead) -> VieneuError | None:
    signed = _CLOUDFLARE_CODE.search(response.body)
    from_edge = "CF-RAY" in response.headers or response.headers.get("Server", "") == "cloudflare"
    named = b"cloudflare" in response.body.lower() or response.body.startswith(b"error code: ")
    if signed and (from_edge or named) and int(signed[1]) in _CLOUDFLARE_BODY:
        code = signed[1].decode()
        return _CLOUDFLARE_BODY[int(code)](response, Translatable("error {code}", code=code))
    make = _CLOUDFLARE.get(response.status)
    page = response.content_type in {"text/html", "text/plain", ""}
    if make is None or not page or not (from_edge or named):
        return None
    return make(response, Translatable("Cloudflare status {status}", status=response.status))


def _by_content(response: ResponseHead) -> VieneuError | None:
    """Map a response that claims success, or requires a login of another kind."""
    if response.status < 300:  # noqa: PLR2004 - success ends there
        kind = BadResponseError if response.ours else NotVieneuServerError
        return kind(
            Translatable(
                "{host} answered with {what} ({content_type}) instead of the requested content.",
                host=response.host,
                what=describe(response.body),
                content_type=response.content_type or "no content type",
            )
        )
    if response.status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        return NotVieneuServerError(
            Translatable(
                "Something at {host} that is no VieNeu server refuses access ({status}).",
                host=response.host,
                status=response.status,
            )
        )
    return None


def _by_status(response: ResponseHead) -> VieneuError:
    """Map an unidentified response by its status: from a gateway, or another server."""
    answer = Translatable(
        "{host} answered {status} with {what}.",
        host=response.host,
        status=response.status,
        what=describe(response.body),
    )
    if response.status in {HTTPStatus.BAD_GATEWAY, HTTPStatus.GATEWAY_TIMEOUT}:
        return _upstream(
            response, Translatable("status {status} from a gateway", status=response.status)
        )
    if response.status == HTTPStatus.SERVICE_UNAVAILABLE:
        return BackendUnavailableError(answer)
    if response.status == HTTPStatus.TOO_MANY_REQUESTS:
        return RateLimitedError(answer)
    if response.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return InternalServerError(answer)
    return NotVieneuServerError(answer)
