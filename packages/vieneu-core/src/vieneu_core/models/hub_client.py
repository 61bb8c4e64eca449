"""Client of a model hub, based on huggingface_hub 0.34 to 2.4, with translated errors.

Its ``hf_hub_download`` is not used for the content: since 1.x it deletes a partial file when it
fails, so that a bad connection would start 400 MB again each time. All functions used are
public in all these versions. Its errors may contain signed URLs or the token: none of
their text is passed on.
"""

from __future__ import annotations

import re
import socket
import ssl
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http import HTTPStatus
from importlib import import_module
from typing import Any
from urllib.parse import urlsplit

from vieneu_core.errors import MissingExtraError, ModelLoadError
from vieneu_core.models.hub_proxies import (
    is_behind_proxy,
    proxy_away,
    proxy_refusal,
    unusable_proxy_named,
)
from vieneu_core.models.source import is_plain
from vieneu_core.translatable import Translatable

HUGGING_FACE = "https://huggingface.co"
CHUNK_BYTES = 1 << 18
_NAME = re.compile(r"\w[\w.-]{0,199}", re.ASCII)
TRANSIENT = {
    HTTPStatus.REQUEST_TIMEOUT,
    HTTPStatus.TOO_MANY_REQUESTS,
    HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE,
}
_PROXY_WANTS_PASSWORD = re.compile(r"(^|Tunnel connection failed: )407\b")
"""How httpx and requests name the status; it may be a part of a path or of a number too."""
_ACCESS = (
    "Check the name. If it is private or has terms to accept, ask or accept on its page, then log"
    " in: hf auth login"
)


class InterruptedTransferError(Exception):
    """The hub or the connection failed, and may work later. The text may be shown to users."""


class FileNotThereError(Exception):
    """The repository exists, but the file does not."""


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file as described by the hub."""

    name: str
    commit: str
    etag: str
    size: int | None
    """Size in bytes; None if the hub does not state it."""


@dataclass(frozen=True, slots=True)
class Body:
    """The content of a file from an offset on."""

    start: int
    """Offset of the first byte; 0 if the hub ignored the requested offset."""
    chunks: Iterator[bytes]


class HubClient:
    """A hub, accessed with a token or without. Blocking.

    Without a token, the one stored by ``hf auth login`` is used, and only for Hugging Face itself.

    Raises:
        MissingExtraError: huggingface_hub is not installed.
    """

    def __init__(self, endpoint: str | None, token: str | None, *, timeout_s: float) -> None:
        try:
            self._hub: Any = import_module("huggingface_hub")
            self._tools: Any = import_module("huggingface_hub.utils")
            self._errors: Any = import_module("huggingface_hub.errors")
            constants: Any = import_module("huggingface_hub.constants")
        except ImportError as error:
            raise MissingExtraError("Downloading models", "model") from error
        self._endpoint: str = (endpoint or constants.ENDPOINT).rstrip("/")
        self._token = token or (None if self._endpoint == HUGGING_FACE else False)
        self._timeout_s = timeout_s
        self.host = urlsplit(self._endpoint).hostname or "the hub"

    def file_info(self, repo: str, name: str, revision: str) -> RemoteFile:
        """Request the commit, checksum and size of a file.

        Raises:
            FileNotThereError: the repository has no such file.
            ModelLoadError: the hub refuses it permanently.
            InterruptedTransferError: a retry may succeed.
        """
        what = f"{repo}:{name}@{revision}"
        with self._translated(what):
            found = self._hub.get_hf_file_metadata(
                self._url(repo, name, revision), token=self._token, timeout=self._timeout_s
            )
        # Both become file names here.
        if not (_NAME.fullmatch(found.commit_hash or "") and _NAME.fullmatch(found.etag or "")):
            raise no_hub_error(self.host, what)
        return RemoteFile(name, found.commit_hash, found.etag, found.size)

    def list_files(self, repo: str, revision: str) -> tuple[str, tuple[str, ...]]:
        """Request the commit of a revision, and the names of its files.

        Raises:
            ModelLoadError, InterruptedTransferError: as `file_info`.
        """
        with self._translated(f"{repo}@{revision}"):
            api = self._hub.HfApi(endpoint=self._endpoint, token=self._token)
            info = api.model_info(repo, revision=revision, timeout=self._timeout_s)
        names = (file.rfilename for file in info.siblings or ())
        return info.sha, tuple(name for name in names if is_plain(name))

    @contextmanager
    def content(self, repo: str, file: RemoteFile, offset: int) -> Iterator[Body]:
        """Open the content of a file from an offset on.

        Raises:
            ModelLoadError, InterruptedTransferError: as `file_info`, also while reading.
        """
        headers = self._tools.build_hf_headers(token=self._token)
        headers["Accept-Encoding"] = "identity"  # otherwise its length is unknown
        if offset:
            headers["Range"] = f"bytes={offset}-"
        what = f"{repo}:{file.name}"
        with (
            self._translated(what),
            self._opened(self._url(repo, file.name, file.commit), headers) as response,
        ):
            self._tools.hf_raise_for_status(response)
            resumed = response.status_code == HTTPStatus.PARTIAL_CONTENT
            yield Body(offset if resumed else 0, _chunks(response))

    def _url(self, repo: str, name: str, revision: str) -> str:
        url: str = self._hub.hf_hub_url(repo, name, revision=revision, endpoint=self._endpoint)
        return url

    @contextmanager
    def _opened(self, url: str, headers: dict[str, str]) -> Iterator[Any]:
        session = self._tools.get_session()
        if not callable(getattr(session, "stream", None)):  # requests, before 1.0
            with session.get(
                url, headers=headers, timeout=self._timeout_s, stream=True
            ) as response:
                yield response
            return
        with session.stream("GET", url, headers=headers, timeout=self._timeout_s) as response:
            if response.status_code >= HTTPStatus.BAD_REQUEST:
                response.read()  # the error is derived from the body, too
            yield response

    @contextmanager
    def _translated(self, what: str) -> Iterator[None]:
        """Translate failures of the library and of the network."""
        is_behind_proxy(self._endpoint)  # refuses one that cannot be used
        with unusable_proxy_named():
            self._tools.get_session()  # it reads the environment
        try:
            yield
        except self._errors.OfflineModeIsEnabled as error:
            raise ModelLoadError(
                Translatable(
                    "{what} would have to be fetched, but HF_HUB_OFFLINE forbids it.", what=what
                ),
                remedy="Unset HF_HUB_OFFLINE, or fetch it on a machine that may.",
            ) from error
        except self._errors.HfHubHTTPError as error:
            raise self._refusal(error, what) from error
        except _transport_errors() as error:
            raise self._interruption(error, what) from error

    def _refusal(self, error: Any, what: str) -> Exception:
        status = error.response.status_code
        if isinstance(error, self._errors.EntryNotFoundError):
            return FileNotThereError(what)
        if status == HTTPStatus.PROXY_AUTHENTICATION_REQUIRED:
            return proxy_refusal(self.host)
        if status in TRANSIENT or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            return InterruptedTransferError(
                Translatable(
                    "{host} answered with an error ({status})", host=self.host, status=status
                )
            )
        if isinstance(error, self._errors.RevisionNotFoundError):
            return ModelLoadError(
                Translatable("{what}: there is no such revision.", what=what),
                remedy="Check its name.",
            )
        return ModelLoadError(
            Translatable("{what}: {reason}.", what=what, reason=self._refusal_words(error, status)),
            remedy=_ACCESS,
        )

    def _refusal_words(self, error: Any, status: int) -> str:
        if isinstance(error, self._errors.GatedRepoError):
            return "its terms are not accepted yet"
        # The hub answers 401 also for what does not exist; the library distinguishes the two.
        if isinstance(error, self._errors.RepositoryNotFoundError):
            return Translatable(
                "{host} has no such repository, or does not show it", host=self.host
            )
        if status == HTTPStatus.UNAUTHORIZED:
            return Translatable("{host} does not accept the token", host=self.host)
        return Translatable("{host} refuses it (status {status})", host=self.host, status=status)

    def _interruption(self, error: BaseException, what: str) -> Exception:
        chain = _chain(error)
        if fault := self._proxy_fault(chain):
            return fault
        if any(isinstance(each, ssl.SSLCertVerificationError) for each in chain):
            return ModelLoadError(
                Translatable(
                    "{what}: the certificate of {host} is not accepted.", what=what, host=self.host
                ),
                remedy="Check this machine's clock and its certificates; a proxy may interfere.",
            )
        if any(isinstance(each, socket.gaierror) for each in chain):
            return InterruptedTransferError(
                Translatable("the name {host} is not found", host=self.host)
            )
        if any(isinstance(each, ConnectionRefusedError) for each in chain):
            return InterruptedTransferError(
                Translatable("{host} refuses connections", host=self.host)
            )
        if any("Timeout" in type(each).__name__ for each in chain):
            return InterruptedTransferError(
                Translatable(
                    "{host} sent nothing for {timeout_s:g} s",
                    host=self.host,
                    timeout_s=self._timeout_s,
                )
            )
        return InterruptedTransferError(
            Translatable("the connection to {host} broke off", host=self.host)
        )

    def _proxy_fault(self, chain: list[BaseException]) -> Exception | None:
        """Return what is wrong with the proxy on the way; None where it is not the reason."""
        of_proxy = [str(each) for each in chain if "ProxyError" in type(each).__name__]
        if any(map(_PROXY_WANTS_PASSWORD.search, of_proxy)):
            return proxy_refusal(self.host)
        at_proxy = any(isinstance(e, ConnectionRefusedError | socket.gaierror) for e in chain)
        if of_proxy or (at_proxy and is_behind_proxy(_url_of(chain) or self._endpoint)):
            return InterruptedTransferError(proxy_away(self.host))
        return None


def _chunks(response: Any) -> Iterator[bytes]:
    read = getattr(response, "iter_bytes", None) or response.iter_content
    yield from read(CHUNK_BYTES)


def _transport_errors() -> tuple[type[Exception], ...]:
    """Return the exceptions of the underlying HTTP library, which depends on the version."""
    roots = (("httpx2", "HTTPError"), ("httpx", "HTTPError"), ("requests", "RequestException"))
    foreign = (getattr(sys.modules[m], name) for m, name in roots if m in sys.modules)
    return (*foreign, ConnectionError, TimeoutError)


def _chain(error: BaseException) -> list[BaseException]:
    """Return an error and its causes; libraries hide the original one some levels down."""
    found: list[BaseException] = []
    pending: list[object] = [error]
    while pending:
        each = pending.pop()
        if isinstance(each, BaseException) and each not in found:
            found.append(each)
            pending += [each.__cause__, each.__context__, getattr(each, "reason", None), *each.args]
    return found


def _url_of(chain: list[BaseException]) -> str:
    """Return the URL of the request that failed, which may have been redirected; "" if unknown."""
    for each in chain:
        with suppress(AttributeError, RuntimeError):  # httpx raises where it was not set
            return str(each.request.url)  # type: ignore[attr-defined]  # foreign errors have it
    return ""


def no_hub_error(host: str, what: str) -> ModelLoadError:
    """Return the error for an answer that is not that of a model hub."""
    return ModelLoadError(
        Translatable("{host} answers, but not as a model hub does ({what}).", host=host, what=what),
        remedy="Check the address of the hub, and whether a proxy answers instead of it.",
    )
