"""How long a test waits for what must come.

It ends a test that would hang, and is no measure of speed: on a machine with other work everything
takes many times as long, and passes all the same.
"""

from __future__ import annotations

GUARD_S = 300.0
