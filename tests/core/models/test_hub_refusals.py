"""What cannot be fetched is told with what to do, and no token goes where it does not belong."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from engine_calls import quiet
from hub_fetches import AT_ONCE, FILE, LARGE, REPO, SOURCE, hub
from hub_site import HubSite

from vieneu_core.errors import MissingExtraError, ModelDownloadError, ModelLoadError
from vieneu_core.models.catalogue import known_model
from vieneu_core.models.hub import Hub
from vieneu_core.models.source import ModelSource


@pytest.mark.parametrize(
    ("source", "reported"),
    [
        (ModelSource(repo="someone/other", files=("x.gguf",)), "no such repository"),
        (ModelSource(repo=REPO, files=("voice-q5.gguf",)), r"has no file voice-q5\.gguf.*voice-q4"),
        (ModelSource(repo=REPO, files=(FILE,), revision="v9"), "no such revision"),
        (ModelSource(repo=REPO, files=("*.onnx",)), r"has no file \*\.onnx"),
    ],
)
def test_what_is_not_there_is_told_with_what_is(
    site: HubSite, cache: Path, source: ModelSource, reported: str
) -> None:
    with pytest.raises(ModelLoadError, match=reported) as caught:
        hub(site, cache).fetch(source, quiet)
    assert caught.value.remedy


@pytest.mark.parametrize(
    ("code", "reported"), [("GatedRepo", "terms"), ("", "refuses|not accept|no such")]
)
@pytest.mark.parametrize("status", [401, 403])
def test_a_closed_door_is_told_without_the_token(
    site: HubSite, cache: Path, status: int, code: str, reported: str
) -> None:
    site.statuses, site.error_code = [status] * 5, code

    with pytest.raises(ModelLoadError, match=reported) as caught:
        hub(site, cache, token="hf_secretsecret").fetch(SOURCE, quiet)
    assert "secret" not in f"{caught.value} {caught.value!r} {caught.value.__cause__}"
    assert site.tokens == {"Bearer hf_secretsecret"}
    assert "secret" not in repr(hub(site, cache, token="hf_secretsecret"))


def test_offline_and_not_here_says_where_it_looked_and_what_to_do(
    site: HubSite, cache: Path
) -> None:
    with pytest.raises(ModelLoadError) as caught:
        hub(site, cache, offline=True).fetch(known_model("vieneu-0.3b-q4").source, quiet)

    assert str(cache) in caught.value.detail
    assert "vieneu models get vieneu-0.3b-q4" in caught.value.remedy
    assert site.asked == []


def test_a_hub_that_is_not_there_is_told(cache: Path) -> None:
    gone = Hub(cache_dir=cache, endpoint="http://127.0.0.1:9", retry_policy=AT_ONCE)

    with pytest.raises(ModelDownloadError, match="refuses connections") as caught:
        gone.fetch(SOURCE, quiet)
    assert caught.value.transient


def test_something_else_at_that_address_is_told(site: HubSite, cache: Path) -> None:
    site.commit = "not a commit!"

    with pytest.raises(ModelLoadError, match="not as a model hub does"):
        hub(site, cache).fetch(SOURCE, quiet)


def test_a_cache_that_cannot_be_written_is_told(site: HubSite, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(ModelLoadError, match="cannot be used"):
        hub(site, tmp_path / "file" / "hub").fetch(SOURCE, quiet)


def test_the_token_goes_to_no_other_hub(
    site: HubSite, cache: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    token = tmp_path / "token"
    token.write_text("hf_of_the_user")
    monkeypatch.setenv("HF_TOKEN_PATH", str(token))

    hub(site, cache).fetch(SOURCE, quiet)

    assert site.tokens == set()


def test_a_token_of_the_environment_goes_to_no_other_hub(
    site: HubSite, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    environ = {"HF_ENDPOINT": site.url, "HF_TOKEN": "hf_secret", "HF_HUB_CACHE": str(cache)}
    for name, value in environ.items():
        monkeypatch.setenv(name, value)

    path = Hub.of_environment(environ).fetch(SOURCE, quiet)

    assert path.read_bytes() == LARGE
    assert path.is_relative_to(cache)
    assert site.tokens == set()


def test_the_library_that_is_missing_is_named(
    site: HubSite, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)

    with pytest.raises(MissingExtraError, match="pip install"):
        hub(site, cache).fetch(SOURCE, quiet)
