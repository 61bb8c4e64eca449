"""Asks for what the file does not hold: Colab's secrets first, then a prompt that shows nothing."""

from __future__ import annotations

import getpass
import logging

from pydantic import SecretStr

from vieneu_colab_server.colab.words import Words

_LOGGER = logging.getLogger(__name__)
TOKEN_NAME, AUTHTOKEN_NAME = "VIENEU_TOKEN", "NGROK_AUTHTOKEN"


def ask_secret(name: str, prompt: str, words: Words) -> SecretStr | None:
    """Return a secret; None where nobody has one.

    Args:
        name: In Colab's secrets.
        prompt: Key of the words to ask with.
        words: In whose language.
    """
    text = _of_colab(name) or _prompted(words(prompt))
    return SecretStr(text) if text else None


def _of_colab(name: str) -> str:
    try:
        from google.colab import userdata
    except ImportError:
        return ""
    try:
        return str(userdata.get(name) or "").strip()
    except Exception as error:  # noqa: BLE001 - no such secret, no access: then we ask
        _LOGGER.info("Colab gives no secret %s (%s).", name, type(error).__name__)
        return ""


def _prompted(text: str) -> str:
    try:
        return getpass.getpass(text).strip()
    except (EOFError, OSError):
        return ""
    except Exception as error:  # noqa: BLE001 - a notebook run by a program has no keyboard
        _LOGGER.info("Nobody can be asked (%s).", type(error).__name__)
        return ""
