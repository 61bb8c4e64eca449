"""The measuring run of `nox -s chaos`, on faults whose effect is certain."""

from __future__ import annotations

from pathlib import Path

import pytest
from chaos import lane
from chaos.schedule import Episode, episodes
from fault_line import Moment

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]


def episode(kind: str, moment: Moment) -> Episode:
    """Return the first one of this kind at this moment."""
    return next(
        each for each in episodes(1, 1000) if each.kind.key == kind and each.moment is moment
    )


@pytest.mark.usefixtures("no_leaks")
@pytest.mark.parametrize(
    ("kind", "moment", "speaks"),
    [
        ("remote: server killed", Moment.BEFORE, "local"),
        # Before the first audio a worker that starts anew may be soon enough.
        ("local: worker killed", Moment.DURING, "last_resort"),
        ("remote: worker killed, plain client", Moment.DURING, "remote"),
        ("remote: certificate expired", Moment.DURING, "local"),
        ("remote: TLS handshake hangs", Moment.BEFORE, "local"),
    ],
)
async def test_the_ear_hears_who_speaks_after_a_kill(
    tmp_path: Path, kind: str, moment: Moment, speaks: str
) -> None:
    (result,) = [each async for each in lane.run_episodes(tmp_path, [episode(kind, moment)])]

    assert not result.verdict.broken
    assert result.error == ""
    assert speaks in result.verdict.voices
