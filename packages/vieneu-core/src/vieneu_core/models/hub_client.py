"""Client of a model hub, based on huggingface_hub 0.34 to 2.4, with translated errors.

Its ``hf_hub_download`` is not used for the content: since 1.x it deletes a partial file when it
fails, so that a bad connection would start 400 MB again each time. All functions used are
public in all these versions. Its errors may contain signed URLs or the token: none of
their text is passed on.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http import HTTPStatus
from importlib import import_module
from typing import Any
from urllib.parse import urlsplit

from yarl import URL

from vieneu_core.errors import MissingExtraError, ModelLoadError
from vieneu_core.models.hub_failures import (
    HubFailures,
    ProxySaid,
    no_hub_error,
    offline_error,
)
from vieneu_core.models.hub_proxies import is_behind_proxy, translate_proxy_errors
from vieneu_core.models.source import is_plain
from vieneu_core.proxies import proxy_for
from vieneu_core.translatable import Translatable

HUGGING_FACE = "https://huggingface.co"
CHUNK_BYTES = 1 << 18
_NAME = re.compile(r"\w[\w.-]{0,199}", re.ASCII)
_ACCESS = (
    "Check the name. If it is private or has terms to accept, ask or accept on its page, then log"
    " in: hf auth login"
)


def are_file_names(*names: str | None) -> bool:
    """Return whether a commit and a tag of a hub can be names of files, which they become here."""
    return all(_NAME.fullmatch(name or "") for name in names)


def is_offline(environ: Mapping[str, str]) -> bool:
    """Return whether ``HF_HUB_OFFLINE`` forbids the network, as huggingface_hub reads it."""
    return environ.get("HF_HUB_OFFLINE", "").strip().lower() in {"1", "on", "yes", "true"}


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
        self._failures = HubFailures(self.host, timeout_s)

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
        if not are_file_names(found.commit_hash, found.etag):
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
        with translate_proxy_errors():  # both read the environment
            proxy_for(URL(self._endpoint))
            self._tools.get_session()
        try:
            yield
        except self._errors.OfflineModeIsEnabled as error:
            raise offline_error(what) from error
        except self._errors.HfHubHTTPError as error:
            raise self._refusal(error, what) from error
        except _transport_errors() as error:
            raise self._interruption(error, what) from error

    def _refusal(self, error: Any, what: str) -> Exception:
        status = error.response.status_code
        is_missing = isinstance(error, self._errors.EntryNotFoundError)
        if refusal := self._failures.refusal(status, what, file_is_missing=is_missing):
            return refusal
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
        said = ProxySaid(
            [str(each) for each in chain if "ProxyError" in type(each).__name__],
            is_on_the_way=lambda: is_behind_proxy(_url_of(chain) or self._endpoint),
        )
        return self._failures.interruption(chain, what, said)


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
