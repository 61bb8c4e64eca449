"""Models come from the hub once, whole, checked; and are found again without any network."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from engine_calls import quiet
from guard import GUARD_S
from hub_fetches import AT_ONCE, FILE, LARGE, REPO, SMALL, SOURCE, hub
from hub_site import COMMIT, HubSite, hub_site

from vieneu_core.errors import ModelLoadError
from vieneu_core.models.hub import Hub, find_cached
from vieneu_core.models.source import ModelSource, parse_source


def test_a_small_file_is_checked_by_gits_own_checksum(site: HubSite, cache: Path) -> None:
    source = ModelSource(repo=REPO, files=("voices.json",))

    assert hub(site, cache).fetch(source, quiet).read_bytes() == SMALL


def test_patterns_give_a_folder(site: HubSite, cache: Path) -> None:
    source = ModelSource(repo=REPO, files=("*.json", "*.gguf"))

    folder = hub(site, cache).fetch(source, quiet)

    assert sorted(path.name for path in folder.iterdir()) == ["voice-q4.gguf", "voices.json"]


def test_the_second_time_not_one_request_is_made(site: HubSite, cache: Path) -> None:
    first = hub(site, cache).fetch(SOURCE, quiet)
    site.asked.clear()

    again = hub(site, cache).fetch(SOURCE, quiet)

    assert again == first
    assert site.asked == []
    assert find_cached(SOURCE, cache_dir=cache) == first


def test_with_the_hub_gone_what_is_here_is_found(cache: Path) -> None:
    with hub_site() as site:
        site.files[REPO] = {FILE: LARGE, "voices.json": SMALL}
        first = hub(site, cache).fetch(ModelSource(repo=REPO, files=("*",)), quiet)

    again = Hub(cache_dir=cache, endpoint=site.url, offline=True, retry_policy=AT_ONCE)
    assert again.fetch(ModelSource(repo=REPO, files=("*",)), quiet) == first
    online = Hub(cache_dir=cache, endpoint=site.url)
    assert online.fetch(ModelSource(repo=REPO, files=("*",)), quiet) == first


def test_a_branch_stays_what_it_was(site: HubSite, cache: Path) -> None:
    hub(site, cache).fetch(SOURCE, quiet)
    site.commit, site.files[REPO][FILE] = "2" * 40, LARGE[::-1]

    assert hub(site, cache).fetch(SOURCE, quiet).read_bytes() == LARGE


def test_a_revision_that_is_named_wins(site: HubSite, cache: Path) -> None:
    path = hub(site, cache).fetch(ModelSource(repo=REPO, files=(FILE,), revision=COMMIT), quiet)

    assert COMMIT in str(path)
    assert any(COMMIT in asked for _, asked in site.asked)


def test_other_bytes_than_declared_are_deleted_and_told(site: HubSite, cache: Path) -> None:
    site.corrupt = True
    with pytest.raises(ModelLoadError, match="damaged"):
        hub(site, cache).fetch(SOURCE, quiet)
    site.corrupt = False

    assert hub(site, cache).fetch(SOURCE, quiet).read_bytes() == LARGE


def test_a_checksum_that_the_settings_state_is_held_against_it(site: HubSite, cache: Path) -> None:
    right = hashlib.sha256(LARGE).hexdigest()
    stated = parse_source(f"{REPO}:{FILE}#sha256={right}")
    assert hub(site, cache).fetch(stated, quiet).read_bytes() == LARGE

    wrong = parse_source(f"{REPO}:{FILE}#sha256={'0' * 64}")
    with pytest.raises(ModelLoadError, match="is required"):
        hub(site, cache).fetch(wrong, quiet)


def test_a_file_that_was_changed_is_checked_again(site: HubSite, cache: Path) -> None:
    path = hub(site, cache).fetch(SOURCE, quiet).resolve()
    path.write_bytes(LARGE[:-1] + b"x")

    with pytest.raises(ModelLoadError, match="damaged"):
        hub(site, cache).fetch(SOURCE, quiet)
    assert hub(site, cache).fetch(SOURCE, quiet).read_bytes() == LARGE


def test_two_who_fetch_at_once_both_get_it_and_it_comes_once(site: HubSite, cache: Path) -> None:
    program = (
        "import sys; from pathlib import Path\n"
        "from vieneu_core.models.hub import Hub\n"
        "from vieneu_core.models.source import ModelSource\n"
        f"source = ModelSource(repo={REPO!r}, files=({FILE!r},))\n"
        "hub = Hub(cache_dir=Path(sys.argv[1]), endpoint=sys.argv[2])\n"
        "print(len(hub.fetch(source, lambda *_: None).read_bytes()))\n"
    )
    command = [sys.executable, "-c", program, str(cache), site.url]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]

    assert [process.communicate(timeout=GUARD_S)[0].strip() for process in both] == [
        str(len(LARGE))
    ] * 2
    assert len([1 for method, path in site.asked if method == "GET" and "/cdn/" in path]) == 1


def test_a_damaged_ledger_only_costs_a_look(site: HubSite, cache: Path) -> None:
    path = hub(site, cache).fetch(SOURCE, quiet)
    (index,) = cache.rglob("vieneu.json")
    for content in ("{", "[]", json.dumps({"format": 99})):
        index.write_text(content)
        assert hub(site, cache).fetch(SOURCE, quiet) == path


def test_a_wait_for_another_program_is_told(site: HubSite, cache: Path) -> None:
    import fcntl

    folder = cache / f"models--{REPO.replace('/', '--')}"
    folder.mkdir(parents=True)
    reported = threading.Event()
    lock = os.open(folder / "vieneu.lock", os.O_RDWR | os.O_CREAT)
    fcntl.flock(lock, fcntl.LOCK_EX)

    def on_progress(step: str, *_: object) -> None:
        if "another program" in step:
            reported.set()
            os.close(lock)

    assert hub(site, cache).fetch(SOURCE, on_progress).read_bytes() == LARGE
    assert reported.is_set()
