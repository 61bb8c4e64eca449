"""Table of clients: an entry for each, in bounded memory."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

MOST_CLIENTS = 1_024
"""Clients that have an entry of their own; all further ones share one."""
_SHARED = "shared"
_T = TypeVar("_T")


class ClientTable(Generic[_T]):
    """An entry for each client. A new one gets the place of the one that was idle longest.

    Args:
        make: Makes an entry.
    """

    def __init__(self, make: Callable[[], _T]) -> None:
        self._make = make
        self._entries: OrderedDict[str, _T] = OrderedDict()
        """The longest idle client first."""

    def get(self, client: str) -> _T | None:
        """Return the entry of a client, if it has one."""
        return self._entries.get(client)

    def of(self, client: str, is_idle: Callable[[_T], bool]) -> _T:
        """Return the entry of a client, which is a new one if necessary.

        Args:
            client: The client.
            is_idle: Whether an entry may be forgotten for a new client.
        """
        if client not in self._entries and len(self._entries) >= MOST_CLIENTS:
            idlest, found = next(iter(self._entries.items()))
            if is_idle(found):
                del self._entries[idlest]
            else:
                client = _SHARED
        entry = self._entries.get(client)
        if entry is None:
            entry = self._entries[client] = self._make()
        self._entries.move_to_end(client)
        return entry
