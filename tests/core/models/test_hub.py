"""Models come from the hub once, whole, checked; and are found again without any network."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from guard import GUARD_S
from hub_site import COMMIT, HubSite, hub_site

from vieneu_core.backoff import Backoff
from vieneu_core.errors import MissingExtraError, ModelLoadError
from vieneu_core.models.catalogue import known_model
from vieneu_core.models.download import RetryPolicy
from vieneu_core.models.hub import Hub, find_cached
from vieneu_core.models.hub_client import CHUNK_BYTES
from vieneu_core.models.source import ModelSource, parse_source

REPO, FILE = "someone/voice-gguf", "voice-q4.gguf"
LARGE = hashlib.sha256(b"seed").digest() * 40_000
SMALL = b'{"presets": {}}'
NO_PAUSES = Backoff(first_s=0, longest_s=0)
AT_ONCE = RetryPolicy(timeout_s=5, backoff=NO_PAUSES, sleep=lambda _: None)


@pytest.fixture
def site() -> Iterator[HubSite]:
    with hub_site() as site:
        site.files[REPO] = {FILE: LARGE, "voices.json": SMALL, "README.md": b"# x"}
        yield site


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "hub"


def hub(site: HubSite, cache: Path, **more: object) -> Hub:
    return Hub(cache_dir=cache, endpoint=site.url, retry_policy=AT_ONCE, **more)  # type: ignore[arg-type]


SOURCE = ModelSource(repo=REPO, files=(FILE,))


def quiet(*_: object) -> None:
    """Nobody watches."""


def test_a_large_file_comes_whole_and_its_progress_is_told(site: HubSite, cache: Path) -> None:
    told: list[tuple[str, int | None, int | None]] = []

    path = hub(site, cache).fetch(SOURCE, lambda *now: told.append(now))

    assert path.read_bytes() == LARGE
    downloads = [now for now in told if now[0].startswith("Downloading")]
    assert downloads[-1][1:] == (len(LARGE), len(LARGE))
    assert [now[1] for now in downloads] == sorted(now[1] or 0 for now in downloads)


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


@pytest.mark.parametrize("cuts", [[300_000], [300_000, 600_000, 300_000]])
def test_a_download_that_breaks_off_goes_on_where_it_was(
    site: HubSite, cache: Path, cuts: list[int]
) -> None:
    site.cut_after = list(cuts)

    assert hub(site, cache).fetch(SOURCE, quiet).read_bytes() == LARGE
    assert site.ranges[0] == f"bytes={CHUNK_BYTES}-", "what came in whole chunks is kept"
    assert len(site.ranges) == len(cuts)


def test_a_hub_that_ignores_ranges_is_understood(site: HubSite, cache: Path) -> None:
    site.cut_after, site.ignore_ranges = [300_000], True

    assert hub(site, cache).fetch(SOURCE, quiet).read_bytes() == LARGE
    assert site.ranges == [f"bytes={CHUNK_BYTES}-"]


def test_what_was_fetched_of_a_file_is_kept_for_the_next_time(site: HubSite, cache: Path) -> None:
    site.cut_after = [600_000, 0, 0, 0]
    with pytest.raises(ModelLoadError, match=r"failed 4 times.*MB are kept"):
        hub(site, cache).fetch(SOURCE, quiet)
    site.ranges.clear()

    assert hub(site, cache).fetch(SOURCE, quiet).read_bytes() == LARGE
    assert site.ranges == [f"bytes={2 * CHUNK_BYTES}-"]


@pytest.mark.parametrize("status", [500, 502, 503, 429, 408])
def test_a_failure_that_passes_is_waited_out(site: HubSite, cache: Path, status: int) -> None:
    site.statuses = [status, status]

    assert hub(site, cache).fetch(SOURCE, quiet).read_bytes() == LARGE


def test_a_failure_that_stays_is_told(site: HubSite, cache: Path) -> None:
    site.statuses = [503] * 20

    with pytest.raises(ModelLoadError, match="answered with an error"):
        hub(site, cache).fetch(SOURCE, quiet)


@pytest.mark.parametrize(
    ("source", "told"),
    [
        (ModelSource(repo="someone/other", files=("x.gguf",)), "no such repository"),
        (ModelSource(repo=REPO, files=("voice-q5.gguf",)), r"has no file voice-q5\.gguf.*voice-q4"),
        (ModelSource(repo=REPO, files=(FILE,), revision="v9"), "no such revision"),
        (ModelSource(repo=REPO, files=("*.onnx",)), r"has no file \*\.onnx"),
    ],
)
def test_what_is_not_there_is_told_with_what_is(
    site: HubSite, cache: Path, source: ModelSource, told: str
) -> None:
    with pytest.raises(ModelLoadError, match=told) as caught:
        hub(site, cache).fetch(source, quiet)
    assert caught.value.remedy


@pytest.mark.parametrize(
    ("code", "told"), [("GatedRepo", "terms"), ("", "refuses|not accept|no such")]
)
@pytest.mark.parametrize("status", [401, 403])
def test_a_closed_door_is_told_without_the_token(
    site: HubSite, cache: Path, status: int, code: str, told: str
) -> None:
    site.statuses, site.error_code = [status] * 5, code

    with pytest.raises(ModelLoadError, match=told) as caught:
        hub(site, cache, token="hf_secretsecret").fetch(SOURCE, quiet)
    assert "secret" not in f"{caught.value} {caught.value!r} {caught.value.__cause__}"
    assert site.tokens == {"Bearer hf_secretsecret"}
    assert "secret" not in repr(hub(site, cache, token="hf_secretsecret"))


def test_other_bytes_than_announced_are_deleted_and_told(site: HubSite, cache: Path) -> None:
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
    with pytest.raises(ModelLoadError, match="the settings ask for"):
        hub(site, cache).fetch(wrong, quiet)


def test_a_file_that_was_changed_is_checked_again(site: HubSite, cache: Path) -> None:
    path = hub(site, cache).fetch(SOURCE, quiet).resolve()
    path.write_bytes(LARGE[:-1] + b"x")

    with pytest.raises(ModelLoadError, match="damaged"):
        hub(site, cache).fetch(SOURCE, quiet)
    assert hub(site, cache).fetch(SOURCE, quiet).read_bytes() == LARGE


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

    with pytest.raises(ModelLoadError, match="refuses connections"):
        gone.fetch(SOURCE, quiet)


def test_something_else_at_that_address_is_told(site: HubSite, cache: Path) -> None:
    site.commit = "not a commit!"

    with pytest.raises(ModelLoadError, match="not as a model hub does"):
        hub(site, cache).fetch(SOURCE, quiet)


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


def test_a_full_disk_is_told_and_leaves_no_half_file(site: HubSite, cache: Path) -> None:
    """The limit of a process on the size of its files stands for the end of the disk."""
    program = (
        "import resource, signal, sys; from pathlib import Path\n"
        "from vieneu_core.models.hub import Hub\n"
        "from vieneu_core.models.source import ModelSource\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))\n"
        f"source = ModelSource(repo={REPO!r}, files=({FILE!r},))\n"
        "Hub(cache_dir=Path(sys.argv[1]), endpoint=sys.argv[2]).fetch(source, lambda *_: None)\n"
    )

    done = subprocess.run(
        [sys.executable, "-c", program, str(cache), site.url],
        check=False,
        capture_output=True,
        text=True,
        timeout=GUARD_S,
    )

    assert "ModelLoadError: There is no room" in done.stderr
    assert [path for path in cache.rglob("*.part") if path.stat().st_size] == []
    assert hub(site, cache).fetch(SOURCE, quiet).read_bytes() == LARGE


def test_a_cache_that_cannot_be_written_is_told(site: HubSite, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(ModelLoadError, match="cannot be used"):
        hub(site, tmp_path / "file" / "hub").fetch(SOURCE, quiet)


def test_a_damaged_ledger_only_costs_a_look(site: HubSite, cache: Path) -> None:
    path = hub(site, cache).fetch(SOURCE, quiet)
    (index,) = cache.rglob("vieneu.json")
    for content in ("{", "[]", json.dumps({"format": 99})):
        index.write_text(content)
        assert hub(site, cache).fetch(SOURCE, quiet) == path


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


def test_a_wait_for_another_program_is_told(site: HubSite, cache: Path) -> None:
    import fcntl

    folder = cache / f"models--{REPO.replace('/', '--')}"
    folder.mkdir(parents=True)
    told = threading.Event()
    lock = os.open(folder / "vieneu.lock", os.O_RDWR | os.O_CREAT)
    fcntl.flock(lock, fcntl.LOCK_EX)

    def hear(step: str, *_: object) -> None:
        if "another program" in step:
            told.set()
            os.close(lock)

    assert hub(site, cache).fetch(SOURCE, hear).read_bytes() == LARGE
    assert told.is_set()


def test_the_library_that_is_missing_is_named(
    site: HubSite, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)

    with pytest.raises(MissingExtraError, match="pip install"):
        hub(site, cache).fetch(SOURCE, quiet)
