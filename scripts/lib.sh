# shellcheck shell=bash
# What every script here sources: where things are, and how a step is shown.

set -euo pipefail

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# Tools are kept by version outside the clone, so that a fresh clone finds them.
CACHE=${CHALKCAST_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/chalkcast}
LOGS=$ROOT/target/log
WASM_TARGET=wasm32-unknown-unknown
mkdir -p "$CACHE" "$LOGS"
cd "$ROOT"

# Variables that would silently change what is built or fetched.
unset CDPATH GREP_OPTIONS

say() { printf '%s\n' "$*"; }

# die LINE…: an error for a person, one line per argument.
die() {
    printf '\n' >&2
    printf '%s\n' "$@" >&2
    exit 1
}

# step WHAT COMMAND…: one line on the screen ("WHAT … done in 12 s"), the output in a log of its own.
# On failure the log's end is shown and the answer is the command's exit code.
step() {
    local what=$1 status=0
    shift
    run_step "$what" "$@" || status=$?
    [ "$status" != 0 ] || return 0
    say "FAILED after $(duration "$TOOK")"
    {
        printf -- '--- the end of %s ---\n' "$LOG"
        tail -n "${TAIL:-40}" "$LOG"
        printf -- '--- all of it: %s ---\n' "$LOG"
    } >&2
    return "$status"
}

# try_step WHAT ELSE COMMAND…: a step that may fail; then ELSE is shown in place of the time.
try_step() {
    local what=$1 else=$2
    shift 2
    run_step "$what" "$@" || { say "$else"; return 1; }
}

# The common part; leaves LOG and TOOK behind. `set -e` does not hold inside the command: it checks what it does.
run_step() {
    local what=$1 start=$SECONDS status=0
    shift
    LOG=$LOGS/$(log_name "$what").log
    printf '%s … ' "$what"
    ("$@") >"$LOG" 2>&1 </dev/null || status=$?
    TOOK=$((SECONDS - start))
    [ "$status" != 0 ] || say "done in $(duration "$TOOK")"
    return "$status"
}

# duration SECONDS: "12 s", "2 min 5 s".
duration() {
    if [ "$1" -lt 100 ]; then printf '%s s' "$1"; else printf '%s min %s s' $(($1 / 60)) $(($1 % 60)); fi
}

# log_name TEXT: TEXT as a file name.
log_name() { printf '%s' "$1" | tr -cs 'A-Za-z0-9.' '-' | sed 's/^-*//; s/-*$//' | cut -c1-60; }

have() { command -v "$1" >/dev/null 2>&1; }

# at_least HAVE WANT: is version HAVE the same as WANT or newer?
at_least() { [ "$(printf '%s\n%s\n' "$2" "$1" | sort -V | head -n 1)" = "$2" ]; }

# inputs PATH…: one hash over the names and contents of files and folders, less what git ignores.
inputs() {
    { git ls-files -z --cached --others --exclude-standard -- "$@" 2>/dev/null ||
        find "$@" \( -name node_modules -o -name target -o -path js/build -o -path js/dist \) -prune -o -type f -print0; } |
        sort -zu | while IFS= read -r -d '' file; do [ ! -f "$file" ] || printf '%s\0' "$file"; done |
        xargs -0 sha256sum | sha256sum | cut -d' ' -f1
}

# fresh STAMP HASH: does the stamp file hold this hash? `stamp STAMP HASH` writes it.
fresh() { [ -f "$1" ] && [ "$(cat "$1")" = "$2" ]; }
stamp() { mkdir -p "$(dirname "$1")" && printf '%s\n' "$2" >"$1"; }

# locked VERSION of a crate in Cargo.lock.
locked() { awk -v name="\"$1\"" '$1 == "name" { hit = $3 == name } hit && $1 == "version" { gsub(/"/, "", $3); print $3; exit }' "$ROOT/Cargo.lock"; }

# has_wasm_std RUSTC: can this compiler build for wasm32, tests too?
has_wasm_std() {
    local dir
    have "$1" && dir=$("$1" --print target-libdir --target $WASM_TARGET 2>/dev/null) && compgen -G "$dir/libstd-*.rlib" >/dev/null && compgen -G "$dir/libtest-*.rlib" >/dev/null
}

# use_wasm_toolchain: put the compiler that has the wasm32 target first on PATH, and the pinned tools.
use_wasm_toolchain() {
    if ! has_wasm_std rustc; then
        mkdir -p "$CACHE/debian-rust"
        # Links, so that nothing else of /usr/bin comes before what the user has on PATH.
        ln -sf /usr/bin/rustc /usr/bin/cargo /usr/bin/rustdoc "$CACHE/debian-rust/"
        PATH=$CACHE/debian-rust:$PATH
    fi
    PATH=$(tool_dir wasm-pack "$WASM_PACK_VERSION"):$(tool_dir wasm-bindgen-cli "$(wasm_bindgen_version)"):$PATH
    export PATH
}

# Versions of the tools that Cargo.lock does not know.
WASM_PACK_VERSION=0.15.1
CARGO_FUZZ_VERSION=0.13.2

# The command line tool and the crate must have one version.
wasm_bindgen_version() {
    local version
    version=$(locked wasm-bindgen 2>/dev/null || true)
    printf '%s' "${version:-0.2.126}"
}

tool_dir() { printf '%s/%s-%s/bin' "$CACHE" "$1" "$2"; }

# npm_packages DIR: exactly what DIR/package-lock.json says, when that has changed.
npm_packages() {
    local hash
    hash=$(sha256sum "$1/package-lock.json" | cut -d' ' -f1)
    ! fresh "$1/node_modules/.stamp" "$hash" || return 0
    step "npm packages for $1" npm ci --prefix "$1" --no-audit --no-fund
    stamp "$1/node_modules/.stamp" "$hash"
}

# part WHAT COMMAND…: a step whose failure is remembered for `summary`.
part() {
    if step "$@"; then PASSED+=("$1"); else FAILED+=("$1"); fi
}
PASSED=() FAILED=()

summary() {
    printf '\nAfter %s:\n%s\n' "$(duration $SECONDS)" "${#PASSED[@]} passed, ${#FAILED[@]} failed"
    [ ${#FAILED[@]} = 0 ] || { printf '  FAILED: %s\n' "${FAILED[@]}"; exit 1; }
}

# RUSTFLAGS replaces what .cargo/config.toml sets, so what is set there is added to it.
[ -z "${RUSTFLAGS:-}" ] || export RUSTFLAGS="$RUSTFLAGS --cfg=web_sys_unstable_apis"
