"""Exit codes of the commands; a failure is one line on standard error and its code.

0 stopped after finishing its work; 2 wrong arguments; 3 wrong settings (token, samples folder,
address), or standard output cannot be written; 4 the engine could not be loaded; 5 the tunnel could
not be opened; 75 what may be different at the next start: an address that this machine does not
have yet or another program uses, a name that is not found, a model hub or a server that cannot be
reached, too little memory, a full disk; 130 and 143 ended by a signal before it served; 143 stopped
by a second signal.

The units in ``deploy`` start a service again after all but 0, 2, 3 and 4.
"""

from __future__ import annotations

import errno
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

from vieneu_colab_server.i18n import LANGUAGE_VARIABLE
from vieneu_colab_server.launch import ForcedStopError
from vieneu_colab_server.tunnels.errors import TunnelOpenError
from vieneu_core.cli.error_messages import error_line
from vieneu_core.errors import (
    AllBackendsFailedError,
    ConfigurationError,
    OutputError,
    SynthesisFailedError,
    VieneuError,
)

EXIT_CONFIGURATION = 3
EXIT_ENGINE = 4
EXIT_TUNNEL = 5
EXIT_MAY_PASS = 75
"""EX_TEMPFAIL of sysexits.h."""
EXIT_FORCED = 143
_MAY_PASS = {
    # the network of a machine that starts; a program that ends
    *(errno.EADDRNOTAVAIL, errno.EADDRINUSE, errno.ENETDOWN, errno.ENETUNREACH, errno.EHOSTUNREACH),
    *(errno.ENODEV, errno.EAGAIN),
    # memory, open files, the disk
    *(errno.ENOMEM, errno.ENOBUFS, errno.EMFILE, errno.ENFILE, errno.ENOSPC, errno.EDQUOT),
}


@contextmanager
def exiting_on_failure() -> Iterator[None]:
    """Print a failure of what runs meanwhile, in the language of LANGUAGE_VARIABLE, and exit.

    Raises:
        SystemExit: it failed; with the code of its failure.
    """
    try:
        yield
    except OutputError as error:
        _exit(error, EXIT_CONFIGURATION)
    except ConfigurationError as error:
        _exit(error, EXIT_MAY_PASS if may_pass(error) else EXIT_CONFIGURATION)
    except TunnelOpenError as error:
        _exit(error, EXIT_TUNNEL, more=f" (docs/colab.md#{error.code})")
    except VieneuError as error:
        _exit(error, EXIT_MAY_PASS if may_pass(error) else EXIT_ENGINE)
    except ForcedStopError:
        raise SystemExit(EXIT_FORCED) from None


def may_pass(error: VieneuError) -> bool:
    """Return whether what ended a command may be different when it is started again."""
    if isinstance(error, AllBackendsFailedError):
        return any(map(may_pass, error.causes))
    # It is transient, since other sentences may be spoken; but this one was short.
    if isinstance(error, SynthesisFailedError):
        return False
    return error.transient or any(map(_is_of_the_moment, _causes(error)))


def _is_of_the_moment(cause: BaseException) -> bool:
    # Until DNS is there, a name is not found in several ways.
    return isinstance(cause, socket.gaierror) or (
        isinstance(cause, OSError) and cause.errno in _MAY_PASS
    )


def _causes(error: BaseException) -> Iterator[BaseException]:
    cause = error.__cause__
    while cause is not None:
        yield cause
        cause = cause.__cause__


def _exit(error: VieneuError, code: int, *, more: str = "") -> NoReturn:
    line = error_line(error, os.environ.get(LANGUAGE_VARIABLE, "en"))
    sys.stderr.write(f"error: {line}{more}\n")
    raise SystemExit(code) from None
