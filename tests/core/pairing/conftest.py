from __future__ import annotations

import pytest
from address_updates import NOW, TOKEN
from fake_clock import FakeClock

from vieneu_core.pairing import AddressUpdateInbox


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(NOW)


@pytest.fixture
def inbox(clock: FakeClock) -> AddressUpdateInbox:
    return AddressUpdateInbox(TOKEN, clock=clock)
