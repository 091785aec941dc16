# shellcheck shell=bash
# Compilers and tools that are not Debian packages: the wasm32 target, wasm-pack, wasm-bindgen, cargo-fuzz.

# The ordinary way. The limit is for places that cannot reach the Rust download hosts.
add_wasm_target() {
    have rustup || return 1
    try_step "Rust target $WASM_TARGET by rustup (at most 20 s)" "not to be had that way here" fetch_wasm_target
}

fetch_wasm_target() { limited 20 rustup target add "$WASM_TARGET" && has_wasm_std rustc; }

# limited SECONDS COMMAND…: macOS has no timeout(1).
limited() {
    local seconds=$1
    shift
    if have timeout; then timeout "$seconds" "$@"; else "$@"; fi
}

# The other way: Debian's compiler for the web, whose standard library is built here once (see debian_wasm_std).
debian_wasm_packages() {
    if ! is_debian; then
        problem "the Rust target $WASM_TARGET: rustup target add $WASM_TARGET (that failed here; see $LOGS)"
        return
    fi
    WANTED+=("the Rust target $WASM_TARGET: rustup target add $WASM_TARGET (or Debian's rustc-web and its standard library)")
    if ! can_apt; then
        PACKAGES+=(rustc-web cargo-web rust-web-src rust-web-llvm)
        return
    fi
    apt_update
    PACKAGES+=(rustc-web cargo-web rust-web-src rust-web-llvm "$(linker_package)")
    have cc || PACKAGES+=(build-essential)
}

# rust-web-llvm's linker is a link to LLVM's own, of the version that it depends on.
linker_package() { apt-cache depends rust-web-llvm | sed -n 's/.*Depends: llvm-\([0-9]*\)$/lld-\1/p' | head -n 1; }

install_wasm() {
    if ! has_wasm_std rustc && ! has_wasm_std /usr/bin/rustc; then
        step "standard library for $WASM_TARGET (about 40 s)" debian_wasm_std
    fi
    cargo_tool wasm-pack "$WASM_PACK_VERSION"
    # No defaults: TLS is for fetching a browser driver, which is not used here.
    cargo_tool wasm-bindgen-cli "$(wasm_bindgen_version)" --no-default-features --bin wasm-bindgen --bin wasm-bindgen-test-runner
}

# Debian ships the compiler and the library's source, not the library built for wasm32-unknown-unknown.
# Building it for an empty crate gives the files; rustc looks for them in its sysroot.
debian_wasm_std() {
    local work dir
    work=$(mktemp -d)
    mkdir "$work/src"
    printf '[package]\nname = "empty"\nversion = "0.0.0"\nedition = "2021"\n' >"$work/Cargo.toml"
    printf '#![no_std]\n' >"$work/src/lib.rs"
    (cd "$work" && env -u RUSTFLAGS -u CARGO_BUILD_TARGET -u CARGO_TARGET_DIR -u RUSTC_WRAPPER RUSTC=/usr/bin/rustc RUSTC_BOOTSTRAP=1 \
        /usr/bin/cargo build --release --target "$WASM_TARGET" -Z build-std=std,panic_abort,test) || return
    rm -f "$work/target/$WASM_TARGET"/release/deps/libempty-*
    dir=$(/usr/bin/rustc --print sysroot)/lib/rustlib/$WASM_TARGET/lib
    mkdir -p "$dir" && cp "$work/target/$WASM_TARGET"/release/deps/*.rlib "$dir/" || return
    rm -rf "$work"
    has_wasm_std /usr/bin/rustc
}

# cargo_tool CRATE VERSION [OPTION…]: into the cache, by version, leaving ~/.cargo/bin alone.
cargo_tool() {
    local dir
    dir=$(dirname "$(tool_dir "$1" "$2")")
    [ -e "$dir/done" ] || step "$1 $2 (about 1 min)" build_tool "$dir" "$@"
}

# build_tool DIR CRATE VERSION [OPTION…]. Without optimization: these tools work for a second, and are built in half the time.
build_tool() {
    local dir=$1 crate=$2 version=$3
    shift 3
    # Two clones may start at the same time.
    if have flock; then
        exec 8>"$CACHE/$crate.lock" && flock 8 || return
        [ ! -e "$dir/done" ] || return 0
    fi
    env -u RUSTFLAGS -u CARGO_BUILD_TARGET CARGO_TARGET_DIR="$CACHE/build-$crate" \
        CARGO_PROFILE_RELEASE_OPT_LEVEL=0 CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 \
        CARGO_PROFILE_RELEASE_DEBUG=0 CARGO_PROFILE_RELEASE_STRIP=true \
        cargo install "$crate" --version "$version" --locked --force --root "$dir" "$@" || return
    rm -rf "$CACHE/build-$crate"
    : >"$dir/done"
}

install_fuzz() { cargo_tool cargo-fuzz "$CARGO_FUZZ_VERSION"; }
