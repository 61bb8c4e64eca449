# Sourced by the scripts beside it: finds a Python, gets uv into .tools, sets $UV and $PYTHON.
# It changes nothing outside this checkout: downloaded packages are kept in .tools/cache too, unless
# UV_CACHE_DIR names another folder.
# shellcheck shell=bash

UV_VERSION=0.13.9
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

# The Python that is here is used; none is downloaded.
export UV_PYTHON_DOWNLOADS=never
export UV_CACHE_DIR="${UV_CACHE_DIR:-$ROOT/.tools/cache/uv}"
export UV_TOOL_DIR="$ROOT/.tools/uv-tools"
# The environment of this checkout (.venv), whatever environment the caller stands in. Not exported:
# a uv that a test starts elsewhere would take it for its own.
unset VIRTUAL_ENV PYTHONPATH PYTHONHOME UV_PROJECT_ENVIRONMENT

fail() {
    printf '%s: %s\n' "$(basename "$0")" "$*" >&2
    exit 1
}

is_new_enough() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

find_python() {
    local candidate
    for candidate in ${PYTHON:+"$PYTHON"} python3 python3.14 python3.13 python3.12 python3.11; do
        if command -v "$candidate" >/dev/null && is_new_enough "$candidate"; then
            # Not the path of a shim (pyenv): with one, uv makes .venv anew at each run.
            "$candidate" -c 'import sys; print(sys.executable)'
            return
        fi
    done
    fail "VieNeu Relay needs Python 3.11 or newer; python3 here is:" \
        "$(python3 --version 2>&1 || true). Install a newer one, or name it: PYTHON=/path/to/python $0"
}

# --target installs into a folder of ours, so that neither a virtual environment (python3-venv may
# be missing) nor a change to the system's packages (PEP 668 forbids it) is needed.
find_uv() {
    local home="$ROOT/.tools/uv-$UV_VERSION"
    trap 'exit 130' INT # Ctrl-C is no failure of pip
    if [ ! -x "$home/bin/uv" ]; then
        if ! "$PYTHON" -m pip --version >/dev/null 2>&1; then
            command -v uv || fail "$PYTHON has no pip. Install pip for it (Debian: python3-pip) or uv."
            return
        fi
        printf 'Getting uv %s into .tools …\n' "$UV_VERSION" >&2
        rm -rf "$home.part"
        mkdir -p "$ROOT/.tools"
        PIP_ROOT_USER_ACTION=ignore "$PYTHON" -m pip install --quiet --disable-pip-version-check \
            --no-input --no-cache-dir --target "$home.part" "uv==$UV_VERSION" >&2 ||
            fail "pip could not get uv from PyPI; look at pip's message above."
        mv "$home.part" "$home"
    fi
    printf '%s\n' "$home/bin/uv"
}

[ -w "$ROOT" ] || fail "$(id -un) may not write to $ROOT, where everything lands." \
    "Clone the repository into a folder of your own, and run this there."
PYTHON=$(find_python)
UV=$(find_uv)
export PATH="$(dirname "$UV"):$PATH"
