# Sourced by the scripts beside it, after bootstrap.sh: packages of a Debian release, from the mirror
# that apt already uses, unpacked into a folder. Nothing of the system is changed or asked.
# shellcheck shell=bash

# open_release NAME: lists what the release has (empty NAME: this machine's own); sets $draft and
# $mirror.
open_release() {
    command -v dpkg-deb >/dev/null && command -v apt-get >/dev/null || return 1
    local own suite keyring=/usr/share/keyrings/debian-archive-keyring.gpg
    own=$(. /etc/os-release && printf '%s' "$VERSION_CODENAME")
    suite=${1:-$own}
    mirror=$(apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' |
        awk -v release="$own" '$2 == release && $3 == "main" { print $1; exit }')
    [ -n "$mirror" ] && [ -r "$keyring" ] || return 1

    draft=$(mktemp -d)
    trap 'rm -rf "$draft"' EXIT
    chmod 755 "$draft"
    mkdir -p "$draft"/lists/partial "$draft"/archives/partial "$draft"/debs "$draft"/unpacked
    : >"$draft/status" # as if nothing were installed here: every library has to come along
    printf 'deb [arch=%s signed-by=%s] %s %s main\n' \
        "$(dpkg --print-architecture)" "$keyring" "$mirror" "$suite" >"$draft/sources.list"
    own_apt update
}

# A mirror that stands still for weeks serves lists past their date. Their signatures are checked
# as ever; the worst is an older release of what only the tests run.
own_apt() {
    apt-get -qq -o Acquire::Check-Valid-Until=false -o Dir::Etc::SourceList="$draft/sources.list" -o Dir::Etc::SourceParts=/dev/null \
        -o Dir::Etc::Preferences=/dev/null -o Dir::Etc::PreferencesParts=/dev/null \
        -o Dir::State="$draft" -o Dir::State::Lists="$draft/lists" -o Dir::State::Status="$draft/status" \
        -o Dir::Cache="$draft" -o Dir::Cache::Archives="$draft/archives" \
        -o Acquire::Languages=none -o Acquire::Retries=3 -o APT::Sandbox::User="$(id -un)" "$@"
}

# needed_by PACKAGE...: prints these and all that they depend on.
needed_by() {
    own_apt --simulate --no-install-recommends install "$@" | awk '/^Inst / { print $2 }'
}

# unpack_packages: reads names, and unpacks these packages, and no others, into $draft/unpacked.
unpack_packages() {
    local names package
    mapfile -t names < <(sort -u)
    (cd "$draft/debs" && own_apt download "${names[@]}")
    for package in "$draft"/debs/*.deb; do
        dpkg-deb --fsys-tarfile "$package" |
            tar -x -C "$draft/unpacked" --keep-directory-symlink --no-same-owner \
                --exclude='./usr/share/doc' --exclude='./usr/share/man' --exclude='./usr/share/locale'
    done
}

# library_folders FOLDER: prints the folders with libraries below it, separated by colons.
# Some lie in one of their own (pulseaudio/libpulsecommon-16.1.so), where the library that needs them
# looks by an absolute path of the system that they were made for.
library_folders() {
    find "$1" -path '*/lib/*-linux-gnu*' -name '*.so*' -printf '%h\n' | sort -u | paste -sd:
}
