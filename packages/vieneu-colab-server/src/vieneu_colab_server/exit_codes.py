"""Exit codes of the commands; a failure is one line on standard error and its code.

0 stopped after finishing its work; 2 wrong arguments; 3 wrong settings (token, samples folder,
address), or standard output cannot be written; 4 the engine could not be loaded; 5 the tunnel could
not be opened; 130 and 143 ended by a signal before it served; 143 stopped by a second signal.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

from vieneu_colab_server.i18n import LANGUAGE_VARIABLE, error_line
from vieneu_colab_server.launch import ForcedStopError
from vieneu_colab_server.tunnels.errors import TunnelOpenError
from vieneu_core.errors import ConfigurationError, OutputError, VieneuError

EXIT_CONFIGURATION = 3
EXIT_ENGINE = 4
EXIT_TUNNEL = 5
EXIT_FORCED = 143


@contextmanager
def exiting_on_failure() -> Iterator[None]:
    """Print a failure of what runs meanwhile, in the language of LANGUAGE_VARIABLE, and exit.

    Raises:
        SystemExit: it failed; with the code of its failure.
    """
    try:
        yield
    except (ConfigurationError, OutputError) as error:
        _exit(error, EXIT_CONFIGURATION)
    except TunnelOpenError as error:
        _exit(error, EXIT_TUNNEL, more=f" (docs/colab.md#{error.code})")
    except VieneuError as error:
        _exit(error, EXIT_ENGINE)
    except ForcedStopError:
        raise SystemExit(EXIT_FORCED) from None


def _exit(error: VieneuError, code: int, *, more: str = "") -> NoReturn:
    line = error_line(error, os.environ.get(LANGUAGE_VARIABLE, "en"))
    sys.stderr.write(f"error: {line}{more}\n")
    raise SystemExit(code) from None
