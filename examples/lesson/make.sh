#!/usr/bin/env bash
# Makes lesson.flv anew: slides drawn by lesson.mjs, a voice by espeak-ng, both put together by ffmpeg. See README.md.
set -euo pipefail
cd "$(dirname "$0")"
../../scripts/need node lesson
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

node lesson.mjs "$work"
# A chalkboard a little lighter in the middle; then the slides. One thread, so that every run gives the same bytes.
ffmpeg -hide_banner -loglevel error -y \
    -f lavfi -i "color=0x1f4a42:size=640x360:rate=25,vignette=angle=PI/7" -i "$work/lesson.wav" \
    -filter_complex "[0:v]ass=$work/lesson.ass,format=yuv420p[v];[1:a]aresample=44100,volume=1.4,afade=in:d=0.05[a]" \
    -map '[v]' -map '[a]' -frames:v 1792 -frames:a 3087 \
    -c:v libx264 -profile:v baseline -preset veryslow -tune animation -bf 0 -g 50 -keyint_min 50 -sc_threshold 0 -crf 25 -threads 1 \
    -c:a aac -profile:a aac_low -ar 44100 -ac 1 -b:a 40k \
    -fflags +bitexact -flags:v +bitexact -flags:a +bitexact -metadata title="How a rainbow forms" "$work/lesson.flv"
mv "$work/lesson.flv" lesson.flv
ls -l lesson.flv
