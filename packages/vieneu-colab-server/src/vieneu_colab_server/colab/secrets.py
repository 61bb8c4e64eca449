"""Secrets that are not in the notebook: read from Colab's Secrets, or typed at a hidden prompt.

The notebook asks for them in cell 1, before this package is installed. This is for notebooks that
call `start` without that.
"""

from __future__ import annotations

import getpass
import logging

from pydantic import SecretStr

_LOGGER = logging.getLogger(__name__)
TOKEN_NAME = "VIENEU_TOKEN"  # noqa: S105 - the name of a secret


def ask_secret(name: str, prompt: str) -> SecretStr | None:
    """Return a secret; None if there is none. Blocks up to 10 s where Colab's page is closed.

    Args:
        name: Name of the entry in Colab's Secrets.
        prompt: Text of the prompt.
    """
    text = _of_colab(name) or _prompted(prompt)
    return SecretStr(text) if text else None


def _of_colab(name: str) -> str:
    try:
        from google.colab import userdata
    except ImportError:
        return ""
    try:
        return str(userdata.get(name) or "").strip()
    except Exception as error:  # noqa: BLE001 - no such secret, no access, no answer: then we ask
        _LOGGER.info("Colab has no secret %s (%s).", name, type(error).__name__)
        return ""


def _prompted(text: str) -> str:
    try:
        return getpass.getpass(text).strip()
    except (EOFError, OSError):
        return ""
    except Exception as error:  # noqa: BLE001 - a notebook run by a program has no keyboard
        _LOGGER.info("There is no prompt for a secret (%s).", type(error).__name__)
        return ""
