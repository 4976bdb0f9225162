#!/bin/sh
# See that the servers and programs the tests run against are installed: through apt where we may, else say which.
# Nothing is started: each test run starts its own servers on free ports.
set -eu

cd "$(dirname "$0")/.."
# shellcheck source=tools/apt.sh
. tools/apt.sh

PATH=$PATH:/usr/sbin:/sbin # smtp-sink is in sbin, which a plain user's PATH leaves out

has_one_of() {
    for program in "$@"; do
        command -v "$program" >/dev/null 2>&1 && return 0
    done
    return 1
}

# The tests' pages cost it a quarter of the processor time. Debian has it beside chromium since 2025.
browser() {
    if apt-cache show chromium-headless-shell >/dev/null 2>&1; then echo chromium-headless-shell; else echo chromium; fi
}

missing_packages() {
    has_one_of redis-server || echo redis-server
    has_one_of initdb /usr/lib/postgresql/*/bin/initdb || echo postgresql
    has_one_of chromium-headless-shell chromium chromium-browser google-chrome || echo "$(browser)" fonts-liberation
    has_one_of smtp-sink || echo postfix
    has_one_of spamassassin || echo spamassassin
}

# Debian starts a service as soon as its package is installed, unless policy-rc.d says 101.
policy=/usr/sbin/policy-rc.d
forbid_starting_services() {
    if [ ! -e $policy ]; then
        trap 'as_root rm -f $policy' EXIT
        trap 'exit 130' INT TERM
        printf '#!/bin/sh\nexit 101\n' | as_root tee $policy >/dev/null
        as_root chmod 755 $policy
    fi
    # Postfix is wanted for its smtp-sink only: leave it without a configuration of its own.
    if command -v debconf-set-selections >/dev/null 2>&1; then
        echo 'postfix postfix/main_mailer_type select No configuration' | as_root debconf-set-selections
    fi
}

# What tests go without, at a price.
wanted_packages() {
    has_one_of chromium-headless-shell || [ "$(browser)" = chromium ] || browser
}

packages=$(missing_packages | tr '\n' ' ')
wanted=$(wanted_packages)
if [ -z "$packages" ] && [ -n "$wanted" ] && may_install; then
    echo "test-servers: installing $wanted"
    apt_install "$wanted" || echo "test-servers: the tests go without $wanted"
fi
if [ -n "$packages" ] && may_install; then
    echo "test-servers: installing $packages"
    forbid_starting_services
    # shellcheck disable=SC2086 # one word for each package
    apt_install $packages || true
    packages=$(missing_packages | tr '\n' ' ')
fi
if [ -n "$packages" ]; then
    echo "test-servers: the tests need packages that are not installed here: $packages" >&2
    echo "Install them with: sudo apt-get install --no-install-recommends $packages" >&2
    echo "(On Ubuntu, where chromium is a snap, Google Chrome's own package serves as well.) Then run 'make test' again." >&2
    exit 2
fi
tools/mail-tools.sh
