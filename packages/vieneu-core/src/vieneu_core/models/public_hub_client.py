"""Client of a model hub for public files, on the standard library alone.

For voices that speak where huggingface_hub is not installed, and without the second that its import
takes. It sends no token. Names and meaning of the headers:
https://huggingface.co/docs/hub/api and `hub_client`.
"""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from http.client import HTTPException, HTTPMessage, HTTPResponse
from typing import IO, Any
from urllib.parse import quote, urlsplit

from vieneu_core.errors import ModelLoadError
from vieneu_core.models.hub_client import (
    CHUNK_BYTES,
    HUGGING_FACE,
    Body,
    RemoteFile,
    are_file_names,
    is_offline,
)
from vieneu_core.models.hub_failures import (
    HubFailures,
    ProxySaid,
    no_hub_error,
    offline_error,
)
from vieneu_core.models.hub_proxies import (
    TUNNEL_FAILED,
    EnvironmentProxies,
    translate_proxy_errors,
)
from vieneu_core.models.source import is_plain
from vieneu_core.translatable import Translatable
from vieneu_core.untrusted_json import parse_json

_MAX_LIST_BYTES = 1 << 23


class PublicHubClient:
    """A hub, accessed without a token. Blocking.

    Args:
        endpoint: URL of another hub than Hugging Face.
        environ: Contains ``HF_HUB_OFFLINE``.
        timeout_s: Longest time without data, in seconds.
    """

    def __init__(
        self, endpoint: str | None, environ: Mapping[str, str], *, timeout_s: float
    ) -> None:
        self._endpoint = (endpoint or HUGGING_FACE).rstrip("/")
        self._offline = is_offline(environ)
        self._timeout_s = timeout_s
        self._proxies = EnvironmentProxies()
        self._opener = urllib.request.build_opener(self._proxies, _Redirects)
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
        with self._opened(self._url(repo, name, revision), what, method="HEAD") as response:
            headers = response.headers
        commit = headers.get("X-Repo-Commit", "")
        etag = _bare(headers.get("X-Linked-Etag") or headers.get("ETag", ""))
        if not are_file_names(commit, etag):
            raise no_hub_error(self.host, what)
        stated = headers.get("X-Linked-Size") or headers.get("Content-Length", "")
        return RemoteFile(name, commit, etag, int(stated) if stated.isdecimal() else None)

    def list_files(self, repo: str, revision: str) -> tuple[str, tuple[str, ...]]:
        """Request the commit of a revision, and the names of its files.

        Raises:
            ModelLoadError, InterruptedTransferError: as `file_info`.
        """
        what = f"{repo}@{revision}"
        url = f"{self._endpoint}/api/models/{repo}/revision/{quote(revision, safe='')}"
        with self._opened(url, what) as response:
            text = response.read(_MAX_LIST_BYTES)
        try:
            listing = parse_json(text)
            names = [str(file["rfilename"]) for file in listing["siblings"]]
            return str(listing["sha"]), tuple(filter(is_plain, names))
        except (ValueError, KeyError, TypeError) as error:
            raise no_hub_error(self.host, what) from error

    @contextmanager
    def content(self, repo: str, file: RemoteFile, offset: int) -> Iterator[Body]:
        """Open the content of a file from an offset on.

        Raises:
            ModelLoadError, InterruptedTransferError: as `file_info`, also while reading.
        """
        headers = {"Range": f"bytes={offset}-"} if offset else {}
        what = f"{repo}:{file.name}"
        with self._opened(self._url(repo, file.name, file.commit), what, headers) as response:
            resumed = response.status == HTTPStatus.PARTIAL_CONTENT
            yield Body(offset if resumed else 0, _chunks(response))

    def _url(self, repo: str, name: str, revision: str) -> str:
        return f"{self._endpoint}/{repo}/resolve/{quote(revision, safe='')}/{quote(name)}"

    @contextmanager
    def _opened(
        self, url: str, what: str, headers: Mapping[str, str] | None = None, method: str = "GET"
    ) -> Iterator[Any]:
        if self._offline:
            raise offline_error(what)
        # "identity": otherwise its length is unknown.
        sent = {"Accept-Encoding": "identity", "User-Agent": "vieneu-core", **(headers or {})}
        try:
            request = urllib.request.Request(url, headers=sent, method=method)  # noqa: S310 - below
            with (
                translate_proxy_errors(),
                self._opener.open(request, timeout=self._timeout_s) as response,
            ):
                yield response
        except urllib.error.HTTPError as error:
            raise self._refusal(error, what) from error
        except (OSError, HTTPException) as error:
            raise self._interruption(error, what) from error
        except ValueError as error:  # HF_ENDPOINT is no URL
            raise no_hub_error(self.host, what) from error

    def _refusal(self, error: urllib.error.HTTPError, what: str) -> Exception:
        status, code = error.code, error.headers.get("X-Error-Code", "")
        error.close()
        if refusal := self._failures.refusal(status, what, file_is_missing=code == "EntryNotFound"):
            return refusal
        return ModelLoadError(
            Translatable("{host} refuses {what} (status {status}).", host=self.host, what=what,
                         status=status),
            remedy="Check the address of the hub, and whether a proxy answers instead of it.",
        )  # fmt: skip

    def _interruption(self, error: Exception, what: str) -> Exception:
        cause = getattr(error, "reason", error)
        chain = [cause] if isinstance(cause, BaseException) else []
        texts = [str(each) for each in chain if str(each).startswith(TUNNEL_FAILED)]
        said = ProxySaid(texts, is_on_the_way=lambda: self._proxies.used)
        return self._failures.interruption(chain, what, said)


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows redirections to storage for contents; those of a file's description describe it."""

    def redirect_request(  # noqa: PLR0913, PLR0917 - as urllib has it
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        here, there = urlsplit(req.full_url), urlsplit(newurl)
        if here.scheme == "https" and there.scheme != "https":
            raise urllib.error.URLError("a redirection from https to an unsafe address")
        moved = super().redirect_request(req, fp, code, msg, headers, newurl)
        if moved is not None and req.get_method() == "HEAD":
            moved.method = "HEAD"
        return moved

    def http_error_302(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: HTTPMessage,
    ) -> Any:
        described = req.get_method() == "HEAD" and headers.get("X-Linked-Etag")
        return fp if described else super().http_error_302(req, fp, code, msg, headers)

    http_error_301 = http_error_303 = http_error_307 = http_error_308 = http_error_302


def _chunks(response: HTTPResponse) -> Iterator[bytes]:
    while chunk := response.read(CHUNK_BYTES):
        yield chunk


def _bare(etag: str) -> str:
    return etag.removeprefix("W/").strip('"')
