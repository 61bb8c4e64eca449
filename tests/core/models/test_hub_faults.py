"""What can go wrong with the network and the disk; and what other programs do to a shared cache."""

from __future__ import annotations

import errno
import importlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from engine_calls import quiet
from guard import GUARD_S
from hub_fetches import FILE, LARGE, NO_PAUSES, REPO, SOURCE, hub
from hub_site import HubSite, etag_of

from vieneu_core.errors import ModelDownloadError, ModelLoadError
from vieneu_core.models.download import RetryPolicy
from vieneu_core.models.hub import find_cached
from vieneu_core.models.source import ModelSource

# The network's own library, its token and its switch are read once, when it is imported.
PROGRAM = """
import json, sys
from pathlib import Path
from vieneu_core.errors import VieneuError
from vieneu_core.models.hub import Hub
from vieneu_core.models.source import ModelSource
hub = Hub(cache_dir=Path(sys.argv[1]), endpoint=sys.argv[2])
source = ModelSource(repo=sys.argv[3], files=(sys.argv[4],))
try:
    said = str(hub.fetch(source, lambda *_: None))
except VieneuError as error:
    said = f"{type(error).__name__}: {error}"
print(json.dumps({"said": said, "asks": "huggingface_hub" in sys.modules}))
"""


def in_a_program(site: HubSite, cache: Path, **environ: str) -> dict[str, Any]:
    """Fetch the file in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(cache), site.url, REPO, FILE],
        check=True,
        capture_output=True,
        text=True,
        timeout=GUARD_S,
        env={**os.environ, "HF_HOME": str(cache.parent / "home"), **environ},
    )
    assert done.stderr == "", "no progress bar, no warning"
    said: dict[str, Any] = json.loads(done.stdout)
    return said


# --- the network ---------------------------------------------------------------------------


def test_a_reset_in_the_middle_only_costs_another_try(site: HubSite, cache: Path) -> None:
    site.reset_after = [900_000, 900_000]

    assert hub(site, cache).fetch(SOURCE, quiet).read_bytes() == LARGE


def test_a_hub_that_says_nothing_is_not_waited_for_without_end(site: HubSite, cache: Path) -> None:
    site.n_silent = 20
    hasty = RetryPolicy(timeout_s=0.1, backoff=NO_PAUSES, max_tries_in_vain=3, sleep=quiet)

    with pytest.raises(ModelDownloadError, match=r"failed 3 times: 127\.0\.0\.1 sent nothing"):
        hub(site, cache, retry_policy=hasty).fetch(SOURCE, quiet)


def test_a_content_that_is_shorter_than_declared_is_told(site: HubSite, cache: Path) -> None:
    site.declared_bytes = len(LARGE) + 7

    with pytest.raises(ModelLoadError, match=r"failed \d times"):
        hub(site, cache).fetch(SOURCE, quiet)


def test_a_content_that_claims_to_end_early_is_asked_for_the_rest(
    site: HubSite, cache: Path
) -> None:
    site.claims = [500_000]

    assert hub(site, cache).fetch(SOURCE, quiet).read_bytes() == LARGE
    assert site.ranges == ["bytes=500000-"]


def test_no_more_is_written_than_was_declared(site: HubSite, cache: Path) -> None:
    site.declared_bytes = 1000

    with pytest.raises(ModelLoadError, match=r"instead of 1000"):
        hub(site, cache).fetch(SOURCE, quiet)
    assert all(path.stat().st_size <= 1000 for path in cache.rglob("*.part"))


def test_the_page_of_a_captive_portal_is_no_model(site: HubSite, cache: Path) -> None:
    site.page = b"<!DOCTYPE html><title>Wi-Fi</title>"

    with pytest.raises(ModelLoadError, match="not as a model hub does"):
        hub(site, cache).fetch(SOURCE, quiet)


# --- the token -----------------------------------------------------------------------------


def test_the_token_goes_to_the_hub_and_not_on_to_its_storage(site: HubSite, cache: Path) -> None:
    hub(site, cache, token="hf_secretsecret").fetch(SOURCE, quiet)

    assert site.tokens == {"Bearer hf_secretsecret"}
    assert site.tokens_at_storage == set()


def test_a_token_that_another_program_left_goes_to_no_foreign_hub(
    site: HubSite, cache: Path
) -> None:
    home = cache.parent / "home"
    home.mkdir()
    (home / "token").write_text("hf_of_the_user")

    assert FILE in in_a_program(site, cache)["said"]
    assert FILE in in_a_program(site, cache.with_name("2"), HF_TOKEN="hf_of_the_user")["said"]
    assert site.tokens == set()


def test_the_signed_address_of_the_storage_is_not_told(site: HubSite, cache: Path) -> None:
    site.cut_after = [0] * 9

    with pytest.raises(ModelLoadError, match="failed") as caught:
        hub(site, cache).fetch(SOURCE, quiet)
    assert "secret" not in f"{caught.value} {caught.value.__cause__}"


# --- no network ----------------------------------------------------------------------------


def test_what_is_here_needs_no_library_of_the_network(site: HubSite, cache: Path) -> None:
    first = hub(site, cache).fetch(SOURCE, quiet)

    assert in_a_program(site, cache) == {"said": str(first), "asks": False}


def test_the_hubs_own_switch_for_offline_is_heeded(site: HubSite, cache: Path) -> None:
    said = in_a_program(site, cache, HF_HUB_OFFLINE="1")["said"]

    assert said.startswith("ModelLoadError")
    assert "HF_HUB_OFFLINE forbids it" in said
    assert site.asked == []


# --- the disk ------------------------------------------------------------------------------


def test_a_disk_that_becomes_full_is_told_and_given_its_space_back(
    site: HubSite, cache: Path
) -> None:
    """Linux's own full device stands in the place of the file that is being written."""
    blob = cache / f"models--{REPO.replace('/', '--')}" / "blobs" / etag_of(LARGE)
    blob.parent.mkdir(parents=True)
    blob.with_name(f"{blob.name}.part").symlink_to("/dev/full")

    with pytest.raises(ModelLoadError, match=r"no room .*No space left on device") as caught:
        hub(site, cache).fetch(SOURCE, quiet)
    assert isinstance(caught.value.__cause__, OSError)
    assert caught.value.__cause__.errno == errno.ENOSPC
    assert hub(site, cache).fetch(SOURCE, quiet).read_bytes() == LARGE


def test_what_cannot_fit_is_not_begun(site: HubSite, cache: Path) -> None:
    site.declared_bytes = 10**18

    with pytest.raises(ModelLoadError, match="it needs 1000000000000 MB more"):
        hub(site, cache).fetch(SOURCE, quiet)
    assert [path for method, path in site.asked if method == "GET"] == []


def test_a_place_where_nobody_may_write_is_told(site: HubSite) -> None:
    with pytest.raises(ModelLoadError, match=r"cache folder /proc\S* cannot be"):
        hub(site, Path("/proc")).fetch(SOURCE, quiet)


def test_a_cache_that_is_only_readable_serves_what_it_has(
    site: HubSite, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = hub(site, cache).fetch(SOURCE, quiet)
    (index,) = cache.rglob("vieneu.json")
    index.unlink()

    def refuse(*_: object) -> int:
        raise OSError(errno.EROFS, "Read-only file system")

    # Nobody can be kept from writing here by permissions where tests run as root.
    monkeypatch.setattr("vieneu_core.models.cache.os.open", refuse)

    assert hub(site, cache, offline=True).fetch(SOURCE, quiet) == first
    other = ModelSource(repo=REPO, files=("voices.json",))
    with pytest.raises(ModelLoadError, match="cannot be written"):
        hub(site, cache).fetch(other, quiet)


def test_a_file_system_without_links_is_enough(
    site: HubSite, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(Path, "symlink_to", refuse)
    path = hub(site, cache).fetch(SOURCE, quiet)
    assert (path.read_bytes(), path.is_symlink()) == (LARGE, False)

    # No ETag is the name of its content here: what was recorded is all there is to hold it against.
    path.write_bytes(LARGE[::-1])
    with pytest.raises(ModelLoadError, match="damaged"):
        hub(site, cache).fetch(SOURCE, quiet)
    assert hub(site, cache).fetch(SOURCE, quiet).read_bytes() == LARGE


# --- other programs of the hub -------------------------------------------------------------


def test_what_another_program_fetched_is_checked_and_taken(
    site: HubSite, cache: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    theirs = importlib.import_module("huggingface_hub").hf_hub_download(
        REPO, FILE, cache_dir=cache, endpoint=site.url, token=False
    )
    capfd.readouterr()
    assert find_cached(SOURCE, cache_dir=cache) is None, "it was not checked yet"

    assert hub(site, cache, offline=True).fetch(SOURCE, quiet) == Path(theirs)
    assert find_cached(SOURCE, cache_dir=cache) == Path(theirs)


def test_what_another_program_left_damaged_is_not_taken(site: HubSite, cache: Path) -> None:
    path = hub(site, cache).fetch(SOURCE, quiet)
    (index,) = cache.rglob("vieneu.json")
    index.unlink()
    path.resolve().write_bytes(LARGE[::-1])

    with pytest.raises(ModelLoadError, match=r"damaged.*It was deleted"):
        hub(site, cache, offline=True).fetch(SOURCE, quiet)
    assert not path.exists()


def test_what_is_fetched_here_serves_other_programs(site: HubSite, cache: Path) -> None:
    ours = hub(site, cache).fetch(SOURCE, quiet)
    site.asked.clear()

    theirs = importlib.import_module("huggingface_hub").hf_hub_download(
        REPO, FILE, cache_dir=cache, endpoint=site.url, local_files_only=True
    )

    assert Path(theirs) == ours
    assert site.asked == []
