"""Each recorded reply of an edge, a server or a stranger is called by its name."""

from __future__ import annotations

import gzip
import time
from datetime import UTC, datetime
from http.client import HTTPMessage, parse_headers
from io import BytesIO

import pytest
from line_faults import EDGE_REPLIES, edge_reply
from multidict import CIMultiDict

from vieneu_core.backends.remote.error_mapping import explain
from vieneu_core.backends.remote.response_head import (
    HEAD_BYTES,
    ResponseHead,
    describe,
    until_next_month_s,
)
from vieneu_core.errors import (
    AuthenticationError,
    BackendBusyError,
    BackendError,
    BackendLoadingError,
    BackendUnavailableError,
    BadResponseError,
    Consequence,
    DeviceMemoryError,
    FirstByteTimeoutError,
    InternalServerError,
    NotVieneuServerError,
    RateLimitedError,
    RedirectRefusedError,
    RequestError,
    ServerTooNewError,
    ServerTooOldError,
    TunnelError,
    TunnelLimitError,
    TunnelOfflineError,
    TunnelQuotaError,
    TunnelUpstreamError,
    VieneuError,
    VoiceNotFoundError,
)

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
UNTIL_DECEMBER_S = 7.5 * 86_400

MEANINGS: dict[str, tuple[type[VieneuError], float | None]] = {
    "ngrok_3200_offline": (TunnelOfflineError, None),
    "ngrok_8012_upstream": (TunnelUpstreamError, None),
    "ngrok_3004_incomplete": (TunnelUpstreamError, None),
    "ngrok_734_rate": (TunnelLimitError, 60),
    "ngrok_727_requests": (TunnelQuotaError, UNTIL_DECEMBER_S),
    "ngrok_725_bandwidth": (TunnelQuotaError, UNTIL_DECEMBER_S),
    "ngrok_6024_browser": (BadResponseError, None),
    "ngrok_9999_unknown": (TunnelError, None),
    "cloudflare_1033_gone": (TunnelOfflineError, None),
    "cloudflare_1033_page": (TunnelOfflineError, None),
    "cloudflare_502_server_down": (TunnelUpstreamError, None),
    "cloudflare_524_timeout": (FirstByteTimeoutError, None),
    "cloudflare_429_in_flight": (TunnelLimitError, 5),
    "cloudflare_1015_rate": (TunnelLimitError, 30),
    "server_401_token": (AuthenticationError, None),
    "server_401_bare": (AuthenticationError, None),
    "server_404_voice": (VoiceNotFoundError, None),
    "server_500_memory": (DeviceMemoryError, None),
    "server_500_bare": (InternalServerError, None),
    "server_503_busy": (BackendBusyError, 1),
    "server_503_loading": (BackendLoadingError, 20),
    "server_newer": (ServerTooNewError, None),
    "stranger_401_json": (NotVieneuServerError, None),
    "stranger_403_page": (NotVieneuServerError, None),
    "stranger_404_json": (NotVieneuServerError, None),
    "stranger_404_code": (NotVieneuServerError, None),
    "stranger_429": (RateLimitedError, 7),
    "gateway_502": (TunnelUpstreamError, None),
    "gateway_503": (BackendUnavailableError, None),
    "html_200": (NotVieneuServerError, None),
    "redirect": (RedirectRefusedError, None),
}


def recorded(name: str) -> ResponseHead:
    head, _, body = edge_reply(name).partition(b"\r\n\r\n")
    first, _, lines = head.partition(b"\r\n")
    headers: HTTPMessage = parse_headers(BytesIO(lines + b"\r\n\r\n"))
    return reply(int(first.split()[1]), body, **dict(headers.items()))


def reply(status: int, body: bytes = b"", **headers: str) -> ResponseHead:
    return ResponseHead(
        status=status,
        headers=CIMultiDict({name.replace("_", "-"): value for name, value in headers.items()}),
        head=body,
        host="abc.example",
        backend="remote",
        now=NOW,
    )


def test_every_recorded_reply_has_a_meaning_here() -> None:
    assert sorted(MEANINGS) == sorted(path.stem for path in EDGE_REPLIES.glob("*.http"))


@pytest.mark.parametrize("name", MEANINGS)
def test_a_reply_is_called_by_its_name(name: str) -> None:
    cls, retry_after_s = MEANINGS[name]

    error = explain(recorded(name))

    assert type(error) is cls
    assert error.retry_after_s == retry_after_s
    assert error.remedy
    if isinstance(error, BackendError):
        assert error.backend == "remote"
    assert "5ecret" not in str(error)


@pytest.mark.parametrize(
    ("codes", "cls", "retry_after_s"),
    [
        ((708, 724, 3209), TunnelOfflineError, None),
        ((3005, 3006, 3007, 3008, 3009, 3210), TunnelUpstreamError, None),
        ((702, 703, 715, 717), TunnelLimitError, 60),
        ((714, 716), TunnelLimitError, 5),
        ((726, 728, 729, 730, 731, 732, 733, 735, 740), TunnelQuotaError, UNTIL_DECEMBER_S),
        ((722, 3202, 3208, 3211), TunnelError, None),
    ],
)
def test_the_relatives_of_an_ngrok_page_are_called_by_the_same_name(
    codes: tuple[int, ...], cls: type[VieneuError], retry_after_s: float | None
) -> None:
    for code in codes:
        error = explain(reply(503, b"<html>", Ngrok_Error_Code=f"ERR_NGROK_{code}"))

        assert (code, type(error), error.retry_after_s) == (code, cls, retry_after_s)
        assert f"ERR_NGROK_{code}" in error.detail


@pytest.mark.parametrize(
    "name", [n for n in MEANINGS if n.startswith("ngrok") and not n.startswith("ngrok_6024")]
)
def test_an_ngrok_page_is_known_without_its_header(name: str) -> None:
    whole = recorded(name)
    without = reply(whole.status, whole.head, Content_Type="text/html")

    assert type(explain(without)) is MEANINGS[name][0]


@pytest.mark.parametrize("status", [200, 402, 403, 404, 429, 500, 502, 503])
def test_the_edges_header_is_worth_more_than_the_status(status: int) -> None:
    error = explain(reply(status, b"<html></html>", Ngrok_Error_Code="ERR_NGROK_3200"))

    assert type(error) is TunnelOfflineError


@pytest.mark.parametrize("status", [402, 403, 404, 530])
def test_the_same_status_without_a_signature_is_no_tunnel_error(status: int) -> None:
    error = explain(reply(status, b"<html></html>", Content_Type="text/html"))

    assert not isinstance(error, TunnelError | AuthenticationError | RequestError)


def test_a_page_that_an_edge_compressed_is_still_known() -> None:
    body = recorded("cloudflare_1033_gone").head
    squeezed = reply(530, gzip.compress(body), Content_Type="text/plain", Content_Encoding="gzip")

    assert type(explain(squeezed)) is TunnelOfflineError
    broken = reply(530, b"\x1f\x8bnot gzip at all", Content_Type="text/plain")
    assert isinstance(explain(broken), BackendError)


def test_our_servers_text_is_not_searched_for_the_codes_of_an_edge() -> None:
    error = explain(
        reply(500, b"<html>ERR_NGROK_727</html>", Vieneu_Wire_Version="1.0", Server="cloudflare")
    )

    assert type(error) is InternalServerError


@pytest.mark.parametrize(
    ("version", "cls"), [("0.9", ServerTooOldError), ("7.0", ServerTooNewError)]
)
def test_another_wire_version_goes_before_what_else_is_wrong(
    version: str, cls: type[VieneuError]
) -> None:
    body = b'{"title":"x","detail":"y","code":"a_code_of_another_time","status":422}'

    error = explain(
        reply(422, body, Content_Type="application/problem+json", Vieneu_Wire_Version=version)
    )

    assert type(error) is cls
    assert error.remedy


def test_a_code_of_a_newer_minor_version_is_the_callers_fault_by_its_status() -> None:
    body = b'{"title":"x","detail":"y","code":"too_many_vowels","status":422}'
    headers = {"Content_Type": "application/problem+json"}

    assert type(explain(reply(422, body, Vieneu_Wire_Version="1.7", **headers))) is RequestError
    assert type(explain(reply(422, body, **headers))) is NotVieneuServerError


@pytest.mark.parametrize("seconds", ["-5", "1e300", "NaN"])
def test_a_senseless_wait_is_not_believed(seconds: str) -> None:
    body = f'{{"title":"x","detail":"y","code":"busy","status":503,"retry_after_s":{seconds}}}'

    error = explain(
        reply(
            503, body.encode(), Content_Type="application/problem+json", Vieneu_Wire_Version="1.0"
        )
    )

    assert error.retry_after_s is None


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("3", 3.0),
        ("Mon, 23 Nov 2026 12:00:09 GMT", 9.0),
        ("Mon, 23 Nov 2026 11:00:00 GMT", 0.0),
        ("Mon, 23 Nov 2026 12:00:09 -0000", 9.0),
        ("99999999999999", 3_600.0),
        ("soon", None),
        ("Mon, 01 Jan 99999999999999999999 00:00:00 GMT", None),
        ("-4", None),
    ],
)
def test_retry_after_is_read_as_seconds_or_as_a_date(value: str, seconds: float | None) -> None:
    assert explain(reply(503, Retry_After=value)).retry_after_s == seconds


@pytest.mark.parametrize("year", [2025, 2027])
def test_a_date_of_a_server_is_read_by_its_own_clock(year: int) -> None:
    answer = reply(
        503,
        Date=f"Mon, 23 Nov {year} 12:00:00 GMT",
        Retry_After=f"Mon, 23 Nov {year} 12:00:09 GMT",
    )

    assert explain(answer).retry_after_s == 9.0


def test_a_month_ends_at_its_end() -> None:
    assert until_next_month_s(datetime(2026, 12, 31, 23, 59, 59, tzinfo=UTC)) == 1
    assert until_next_month_s(datetime(2028, 2, 28, tzinfo=UTC)) == 2 * 86_400


@pytest.mark.parametrize(
    ("head", "words"),
    [
        (b"", "nothing"),
        (b"\x1f\x8b\x08", "gzip"),
        (b"RIFF....WAVE", "WAV"),
        (b"\xef\xbb\xbf <!DOCTYPE html><title> Hi </title>", "'Hi'"),
        (b"hello", "other data"),
    ],
)
def test_bytes_are_described_in_words(head: bytes, words: str) -> None:
    assert words in describe(head)


def test_a_redirect_without_a_target_and_an_unknown_answer_are_bad_responses() -> None:
    assert isinstance(explain(reply(304)), BadResponseError)
    assert type(explain(reply(418, Vieneu_Wire_Version="1.0"))) is BadResponseError
    assert type(explain(reply(200, Vieneu_Wire_Version="1.0"))) is BadResponseError
    assert type(explain(reply(500, b"oops"))) is InternalServerError


def test_a_quota_is_left_alone_until_it_comes_back() -> None:
    error = explain(recorded("ngrok_727_requests"))

    assert isinstance(error, TunnelQuotaError)
    assert error.consequence is Consequence.PAUSE
    assert error.retry_after_s == UNTIL_DECEMBER_S


@pytest.mark.parametrize(
    "head",
    [b" " * HEAD_BYTES, b"<html><title>" + b" " * HEAD_BYTES, b"<html>" + b"<title" * 10_000],
)
def test_a_page_of_any_kind_is_described_in_no_time(head: bytes) -> None:
    began_s = time.process_time()
    assert describe(head[:HEAD_BYTES])
    assert time.process_time() - began_s < 2  # it took minutes
