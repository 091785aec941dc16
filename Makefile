# Every command works as the first one in a fresh clone: it installs what is missing and skips what is there.
.PHONY: help demo test check bench fuzz build

help:
	@sed -n 's/^#: //p' Makefile

#: make demo          start a sample lesson and open the pages to watch it and to teach
#:                      HTTP=9090 RTMP=1936   other ports (or address:port)
#:                      LAN=1                 let other devices in, over https with a self-made certificate
demo:
	@scripts/demo

#: make test          everything: Rust, wasm, JavaScript, real browsers, ffmpeg, nginx-rtmp (what CI runs)
test:
	@scripts/test

#: make check         quick: formatting, lints, types, licences, unit tests of the core
check:
	@scripts/check

#: make bench         measure, and print tables
bench:
	@scripts/bench

#: make fuzz          fuzz the core; MINUTES=10 of processor time for each target (1 when not said)
fuzz:
	@scripts/fuzz

#: make build         the npm package in js/dist and the gateway in target/release/chalkcast
build:
	@scripts/build
