# shellcheck shell=sh
# Sourced by the other tools: which uv there is, and what it may trust and write.

uv_oldest=0.8 # older ones cannot be trusted to read this lock file

# is_new_enough VERSION OLDEST, compared by major and minor number.
is_new_enough() {
    awk -v have="$1" -v want="$2" 'BEGIN {
        split(have, h, "."); split(want, w, ".")
        exit !(h[1] + 0 > w[1] + 0 || (h[1] + 0 == w[1] + 0 && h[2] + 0 >= w[2] + 0))
    }'
}

find_uv() {
    for candidate in uv .bootstrap/venv/bin/uv .bootstrap/target/bin/uv; do
        version=$("$candidate" --version 2>/dev/null) || continue
        version=${version#uv }
        if is_new_enough "${version%% *}" "$uv_oldest"; then
            echo "$candidate"
            return
        fi
    done
    return 1
}

# Containers and build users may have no home: caches then stay in the project.
keep_caches_somewhere() {
    if [ ! -d "${HOME:-}" ] || [ ! -w "$HOME" ]; then
        export UV_CACHE_DIR="${UV_CACHE_DIR:-$PWD/.bootstrap/uv-cache}"
        export PIP_CACHE_DIR="${PIP_CACHE_DIR:-$PWD/.bootstrap/pip-cache}"
        export npm_config_cache="${npm_config_cache:-$PWD/.bootstrap/npm-cache}"
    fi
}

# A network may have its own certificate authority: trust what this machine trusts, as Debian's pip does.
trust_as_this_machine() {
    authorities=/etc/ssl/certs/ca-certificates.crt
    [ -r $authorities ] || return 0
    export SSL_CERT_FILE="${SSL_CERT_FILE:-$authorities}"
    export NODE_EXTRA_CA_CERTS="${NODE_EXTRA_CA_CERTS:-$authorities}"
}
