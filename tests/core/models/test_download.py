"""A download comes whole: it goes on where it broke off, and waits for what passes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from engine_calls import quiet
from guard import GUARD_S
from hub_fetches import FILE, LARGE, REPO, SOURCE, hub
from hub_site import HubSite

from vieneu_core.errors import ModelLoadError
from vieneu_core.models.hub_client import CHUNK_BYTES


def test_a_large_file_comes_whole_and_its_progress_is_told(site: HubSite, cache: Path) -> None:
    reported: list[tuple[str, int | None, int | None]] = []

    path = hub(site, cache).fetch(SOURCE, lambda *now: reported.append(now))

    assert path.read_bytes() == LARGE
    downloads = [now for now in reported if now[0].startswith("Downloading")]
    assert downloads[-1][1:] == (len(LARGE), len(LARGE))
    assert [now[1] for now in downloads] == sorted(now[1] or 0 for now in downloads)


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
