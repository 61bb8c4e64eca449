"""VieNeu Relay core: speech from a local engine or a remote server, whichever the admin chose.

Names are loaded when they are first used, so that ``import vieneu_core`` stays light.
"""

from __future__ import annotations

__version__ = "0.1.0"
