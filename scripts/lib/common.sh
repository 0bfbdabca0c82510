# shellcheck shell=bash
# What all scripts share: the place of things, words to the user, timed steps.
# Sourced, after `set -euo pipefail`; leaves the working directory at the root.

# A closed stdin would hand descriptor 0 to the first file a child opens.
if ! { : <&0; } 2>/dev/null; then exec </dev/null; fi

cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit
# What setup fetched, for all clones; the same rule as in fetch_models.py.
# shellcheck disable=SC2034 # for the scripts that source this
cache=${AIRLOCK_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/airlock}

# Where cargo puts what it builds.
# shellcheck disable=SC2034
built=${CARGO_TARGET_DIR:-target}

say() { printf '%s\n' "$*"; }

# die MESSAGE: ends with 1; the message says what to do next.
die() {
    printf '%s: %s\n' "$(basename "$0")" "$*" >&2
    exit 1
}

# step NAME COMMAND…: runs it and says how long it took; its failure is ours.
step() {
    local name=$1 start=$SECONDS status=0 verdict='done'
    shift
    printf '\n== %s\n' "$name"
    "$@" || status=$?
    if [ "$status" -ne 0 ]; then verdict="FAILED (exit $status)"; fi
    printf '== %s: %s after %d s\n' "$name" "$verdict" "$((SECONDS - start))"
    return "$status"
}
