"""A settings file with a secret, and all that an error about it may print."""

from __future__ import annotations

import traceback

SECRET = "s3cr3t-T0ken-that-nobody-may-see"
SEED = f"""\
# my house
backend_mode: remote   # for now
colab:
  enabled: true
  endpoint_url: 'https://abc123.ngrok.io/'
  auth_token: "{SECRET}"
  timeout_seconds: 45
  health_check_interval: 20

# the machine in the cellar
local:
  engine: espeak
  voice: vi-south
fallback:
  enabled: true
  order: [local, last_resort]
"""


def everything_printed(error: BaseException) -> str:
    chain = [error]
    while (earlier := chain[-1].__cause__ or chain[-1].__context__) is not None:
        chain.append(earlier)
    shown = traceback.TracebackException.from_exception(error, capture_locals=False)
    return " ".join([*map(repr, chain), *map(str, chain), *shown.format()])
