#!/bin/sh
# Make .venv from uv.lock. Does nothing when .venv was made here from this very lock file.
set -eu

cd "$(dirname "$0")/.."
# shellcheck source=tools/apt.sh
. tools/apt.sh
# shellcheck source=tools/uv.sh
. tools/uv.sh

uv_pin=0.13.9 # what is installed when no uv is found; the Dockerfile names the same version

say() { printf '%s\n' "$*" >&2; }

# Besides its age, a usable Python has the modules that python3-minimal leaves out.
is_usable() {
    "$1" -c 'import sys, sqlite3, ssl, zoneinfo; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

# The interpreter itself, not a shim or an activated environment that may be gone tomorrow.
find_python() {
    for name in python3 python3.13 python3.12 python3.11; do
        command -v "$name" >/dev/null 2>&1 || continue
        is_usable "$name" || continue
        "$name" -c 'import sys; print(getattr(sys, "_base_executable", None) or sys.executable)'
        return
    done
    say "setup: no complete Python 3.11 or newer among python3, python3.13, python3.12, python3.11."
    say "On Debian 12, Ubuntu 24.04 or newer: apt-get install python3 python3-venv; then run 'make setup' again."
    return 1
}

has_module() { "$python" -c "import $1" 2>/dev/null; }

install_uv() {
    say "setup: installing uv $uv_pin from PyPI into .bootstrap"
    if ! has_module ensurepip && ! has_module pip; then
        install_venv_package
    fi
    if has_module ensurepip; then
        "$python" -m venv --clear .bootstrap/venv
        .bootstrap/venv/bin/pip install --quiet --disable-pip-version-check "uv==$uv_pin"
    else
        "$python" -m pip install --quiet --disable-pip-version-check --target .bootstrap/target --upgrade "uv==$uv_pin"
    fi
}

# Debian and Ubuntu ship Python without ensurepip, in a package of its own for every version.
install_venv_package() {
    package=$("$python" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')
    if ! may_install; then
        say "setup: $python has neither ensurepip nor pip, and this user may not install packages."
        say "Run 'apt-get install $package' as root, or put uv $uv_oldest or newer on PATH; then run 'make setup' again."
        exit 1
    fi
    say "setup: $python has neither ensurepip nor pip: installing the package $package"
    apt_install "$package"
}

# What .venv depends on: its place (scripts in it hold absolute paths) and the locked packages.
fingerprint() { pwd -P && cksum uv.lock pyproject.toml; }

stamp=.venv/.made-from
if [ -x .venv/bin/python ] && .venv/bin/python -c '' 2>/dev/null && [ "$(fingerprint)" = "$(cat $stamp 2>/dev/null)" ]; then
    exit 0
fi

keep_caches_somewhere
export UV_PYTHON_DOWNLOADS=never
export UV_PROJECT_ENVIRONMENT=.venv
unset VIRTUAL_ENV

python=$(find_python)
if ! uv=$(find_uv); then
    install_uv
    uv=$(find_uv)
fi
trust_as_this_machine
say "setup: making .venv with $python"
"$uv" sync --frozen --python "$python"
fingerprint >$stamp
say "setup: done; the command is .venv/bin/digest"
