"""Diagnosis of pip's output, for the notebook and for the server in it."""

from __future__ import annotations

import re

from vieneu_core.i18n import Messages

CODES = (
    *("secret", "drive_mount", "system_packages", "packages_install", "packages_damaged"),
    "cell_first",
)
"""Codes of failures before the server is installed; the notebook's last cell explains each."""

DRIVE_CAUSES = (
    (r"credential propagation|access was denied|not authorized|cancelled", "drive_refused"),
    (r"No module named", "drive_not_colab"),
    (r"timeout|timed out", "drive_slow"),
    (r"domain policy|not supported in", "drive_policy"),
    (r"", "drive_unknown"),
)
"""Pattern in the error of ``drive.mount``, and the key of its message. The first match counts."""

PIP_CAUSES = (
    (r"No space left on device|Disk quota exceeded|Read-only file system", "pip_disk"),
    (r"requires a different Python", "pip_python"),
    (r"Wheel .* is invalid|invalid wheel|BadZipFile", "pip_wheel"),
    (r"ResolutionImpossible|conflicting dependencies", "pip_conflict"),
    (r"HTTP error 5\d\d|5\d\d Server Error|too many 5\d\d error", "pip_index"),
    (
        (
            r"NewConnectionError|NameResolutionError|ConnectTimeout|ReadTimeout|ProxyError|SSLError"
            r"|Connection (refused|reset|aborted|broken)|connection broken|Could not resolve host"
            r"|Network is unreachable|name resolution"
        ),
        "pip_network",
    ),
    (r"\bgit (clone|fetch|version|checkout|rev-parse)\b|command 'git'", "pip_git"),
    (r"No matching distribution|Could not find a version", "pip_missing"),
    (r"", "pip_unknown"),
)
"""Pattern in pip's output, and the key of its message. The first match counts."""


def pip_cause(output: str, code: int, language: str) -> tuple[str, str]:
    """Return the reason why pip failed, and what to do next.

    Args:
        output: What pip printed.
        code: Its exit code.
        language: ``vi``; anything else means English.
    """
    key = next(key for pattern, key in PIP_CAUSES if re.search(pattern, output))
    messages = Messages(language, "notebook")
    return messages(key, code=code), messages(f"{key}_next", cell=3)
