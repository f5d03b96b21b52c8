#!/usr/bin/env bash
# Prepares a machine: the virtual environment, and the Debian packages that make sandboxes complete.
# Called by the Makefile, which decides when. Says little, and progress only on a terminal.
set -euo pipefail

say() { printf '%s\n' "$*" >&2; }
progress() { if [ -t 2 ]; then say "$@"; fi; }
can_install() { [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; }

apt_install() {
    DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@" >/dev/null 2>&1 </dev/null && return
    DEBIAN_FRONTEND=noninteractive apt-get update >/dev/null 2>&1 </dev/null
    DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@" >/dev/null 2>&1 </dev/null
}

# The newest Python that Ingle itself can run on.
find_python() {
    local name candidate
    for name in ${PYTHON:-} python3.14 python3.13 python3.12 python3.11 python3; do
        for candidate in $(type -aP "$name" 2>/dev/null || true); do
            if "$candidate" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))' 2>/dev/null; then
                printf '%s\n' "$candidate"
                return
            fi
        done
    done
    return 1
}

environment() {
    local venv=$1 python
    if ! [ -x "$venv/bin/python" ] || ! "$venv/bin/python" -m pip --version >/dev/null 2>&1; then
        if ! python=$(find_python); then
            if can_install; then apt_install python3 python3-venv || true; fi
            if ! python=$(find_python); then
                say "Ingle needs Python 3.11 or later. Debian, Ubuntu: apt-get install python3 python3-venv make"
                exit 1
            fi
        fi
        make_environment "$venv" "$python"
    fi
    progress "Installing Ingle into $venv ..."
    "$venv/bin/python" -m pip install -qq --disable-pip-version-check -r requirements.lock
    "$venv/bin/python" -m pip install -qq --disable-pip-version-check --no-deps -e .
    # Now, and not in the first start: reading compiled modules takes half the time. Also where Python may not write them.
    "$venv/bin/python" -m compileall -q src/ingle
}

make_environment() {
    local venv=$1 python=$2 version
    progress "Creating $venv with $("$python" -V) ..."
    "$python" -m venv --clear "$venv" >/dev/null 2>&1 && return
    version=$("$python" -c 'import sys; print("python3.%d-venv" % sys.version_info[1])')
    if can_install && { apt_install "$version" || apt_install python3-venv; } &&
        "$python" -m venv --clear "$venv" >/dev/null; then
        return
    fi
    rm -rf "$venv"
    say "$python cannot make virtual environments. Debian, Ubuntu: apt-get install $version"
    exit 1
}

development() {
    progress "Installing the tools for tests and checks ..."
    "$1/bin/python" -m pip install -qq --disable-pip-version-check -r requirements-dev.lock
    # Tests of Ruby functions are skipped without; those of Java need a JDK, which is too large to be brought unasked.
    if ! command -v ruby >/dev/null && can_install; then apt_install ruby || true; fi
    # Tests of the web console use a browser.
    if ! command -v chromium >/dev/null && can_install; then apt_install chromium || true; fi
    # Tests of networks make their own with ip. Those with real databases are skipped without postgresql and
    # redis-server, which start servers where they are installed: not unasked either.
    if ! command -v ip >/dev/null && can_install; then apt_install iproute2 || true; fi
}

# What sandboxes use besides the kernel. Missing ones weaken them; `ingle doctor` says how.
system() {
    local missing=()
    PATH=$PATH:/usr/sbin:/sbin
    command -v mkfs.ext4 >/dev/null || missing+=(e2fsprogs)
    command -v mount >/dev/null || missing+=(mount)
    command -v losetup >/dev/null || missing+=(util-linux)
    ldconfig -p 2>/dev/null | grep -q 'libnftables\.so\.1' || missing+=(libnftables1)
    [ ${#missing[@]} = 0 ] && return
    if can_install; then
        progress "Installing ${missing[*]} ..."
        apt_install "${missing[@]}" && return
    fi
    say "Going on without ${missing[*]}; to complete the sandboxes: apt-get install ${missing[*]}"
}

"$@"
