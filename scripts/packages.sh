# Sourced by scripts/test, after bootstrap.sh: what uv.lock names, installed into .venv, less what this
# machine cannot build or has no use for.
# shellcheck shell=bash

TORCH_CPU_INDEX=${TORCH_CPU_INDEX:-https://download.pytorch.org/whl/cpu}

# install_packages: says what will be fetched and built before it is.
install_packages() {
    local options=(--frozen --all-groups --python "$PYTHON" --no-progress)
    local torch=false
    if installed; then
        say "Comparing .venv with uv.lock"
    else
        say "Installing what uv.lock names. All of it lands in $ROOT"
    fi
    if ! can_compile; then
        options+=(--no-install-package llama-cpp-python)
        echo "No C and C++ compiler: llama-cpp-python is left out and its tests are skipped; GGUF models are" \
            "tested with prebuilt packages of llama.cpp."
    elif ! installed; then
        echo "llama-cpp-python is built from source, once: about 5 minutes on two cores."
    fi
    if has_cpu_torch || { ! installed && answers "$TORCH_CPU_INDEX/torch/"; }; then
        torch=true
        # --inexact: PyTorch comes from elsewhere, and would be taken out again.
        options+=(--inexact)
        mapfile -t -O "${#options[@]}" options < <(gpu_packages | sed 's/^/--no-install-package=/')
    fi
    if ! installed; then
        "$torch" && echo "Download: about 1.1 GB, and what the sessions fetch (Home Assistant, Chromium). On the disk: about 5.4 GB in .tools, .venv and .nox." ||
            echo "Download: about 3.6 GB, of which 2.3 GB are the CUDA libraries of PyTorch, because" \
                "$TORCH_CPU_INDEX does not answer; and what the sessions fetch (Home Assistant, Chromium). On the disk: about 9.4 GB in .tools, .venv and .nox."
    fi
    "$UV" sync "${options[@]}"
    if "$torch" && ! has_cpu_torch && ! install_cpu_torch; then
        echo "PyTorch without CUDA could not be had; taking that of PyPI (2.3 GB more)."
        "$UV" sync --frozen --all-groups --python "$PYTHON" --no-progress \
            $(can_compile || echo --no-install-package=llama-cpp-python)
    fi
}

# provide_libraries: what wheels leave to the system, and a bare Debian lacks: OpenMP for both
# bindings of llama.cpp, libatomic for the program of Playwright. Where one is not there, Debian's is
# unpacked into .tools, for the tests alone.
provide_libraries() {
    local home="$ROOT/.tools/libraries" missing=() each
    for each in libgomp.so.1=libgomp1 libatomic.so.1=libatomic1; do
        if ! "$PYTHON" -c 'import ctypes, sys; ctypes.CDLL(sys.argv[1])' "${each%=*}" 2>/dev/null; then
            missing+=("${each#*=}")
        fi
    done
    if [ ${#missing[@]} = 0 ]; then return; fi
    if [ ! -d "$home" ]; then
        say "Getting ${missing[*]} of this Debian into .tools"
        # shellcheck source=scripts/debian.sh
        (
            source "$ROOT/scripts/debian.sh"
            open_release "" && printf '%s\n' "${missing[@]}" | unpack_packages && mv "$draft/unpacked" "$home"
        ) || fail "The tests need libgomp.so.1 and libatomic.so.1. Install them (Debian: apt-get install ${missing[*]})."
    fi
    for each in $(find "$home" -name 'lib*.so.1' -printf '%h\n' | sort -u); do
        LD_LIBRARY_PATH="$each${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
    done
    export LD_LIBRARY_PATH
}

installed() {
    [ -x "$ROOT/.venv/bin/nox" ]
}

# can_compile: whether a C and a C++ compiler make a program here.
can_compile() {
    echo 'int main(void) { return 0; }' | cc -x c -o /dev/null - 2>/dev/null &&
        echo 'int main() { return 0; }' | c++ -x c++ -o /dev/null - 2>/dev/null
}

# answers URL: whether a server is there that serves it.
answers() {
    "$PYTHON" -c 'import sys, urllib.request; urllib.request.urlopen(sys.argv[1], timeout=10).read(1)' "$1" 2>/dev/null
}

# gpu_packages: PyTorch, whose build on PyPI is for CUDA on Linux, and what only that build needs.
gpu_packages() {
    sed -nE 's/^name = "((nvidia|cuda)-.*|torch|torchaudio|triton)"$/\1/p' uv.lock
}

locked_version() {
    sed -n "/^name = \"$1\"\$/{n;s/^version = \"\(.*\)\"\$/\1/p}" uv.lock
}

has_cpu_torch() {
    compgen -G "$ROOT/.venv/lib/python3.*/site-packages/torch-$(locked_version torch)+cpu.dist-info" >/dev/null
}

# install_cpu_torch: PyTorch's own build without CUDA, of the versions in uv.lock.
install_cpu_torch() {
    "$UV" pip install --quiet --python "$ROOT/.venv" --no-deps --index-url "$TORCH_CPU_INDEX" \
        "torch==$(locked_version torch)" "torchaudio==$(locked_version torchaudio)" &&
        "$ROOT/.venv/bin/python" -c 'import torch, torchaudio'
}

# use_private_home: a HOME inside this folder; the user's own settings of uv and pip (a mirror, a
# certificate) still hold.
use_private_home() {
    local config=${XDG_CONFIG_HOME:-$HOME/.config}
    if [ -f "$config/uv/uv.toml" ]; then export UV_CONFIG_FILE="${UV_CONFIG_FILE:-$config/uv/uv.toml}"; fi
    if [ -f "$config/pip/pip.conf" ]; then export PIP_CONFIG_FILE="${PIP_CONFIG_FILE:-$config/pip/pip.conf}"; fi
    if [ -f "$HOME/.gitconfig" ]; then export GIT_CONFIG_GLOBAL="${GIT_CONFIG_GLOBAL:-$HOME/.gitconfig}"; fi
    unset XDG_CONFIG_HOME XDG_CACHE_HOME XDG_DATA_HOME XDG_STATE_HOME XDG_RUNTIME_DIR
    export HOME="$ROOT/.tools/home"
    mkdir -p "$HOME"
}
