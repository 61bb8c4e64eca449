"""The list of voices."""

from __future__ import annotations

from server_site import Site


async def test_voices_are_listed_the_default_first(site: Site) -> None:
    async with site.get("/voices") as response:
        answer = await response.json()

    assert answer == {
        "voices": [
            {"id": "vi-tone", "name": "Âm thử", "language": "vi"},
            {"id": "en-tone", "name": "Test tone", "language": "en"},
        ]
    }
