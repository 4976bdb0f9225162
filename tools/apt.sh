# shellcheck shell=sh
# Sourced by the other tools: packages of Debian and Ubuntu, where we may install them.

as_root() {
    if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo -n "$@"; fi
}

may_install() {
    command -v apt-get >/dev/null 2>&1 && as_root true 2>/dev/null
}

# apt_install PACKAGE... : without recommended packages, waiting for another apt that may be running.
# Only what goes wrong is printed.
apt_install() {
    as_root apt-get update -qq
    as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get -o DPkg::Lock::Timeout=120 install -y -qq --no-install-recommends "$@" >/dev/null
}
