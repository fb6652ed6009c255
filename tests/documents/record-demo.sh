#!/usr/bin/env bash
# Records `cargo xtask demo` as docs/pictures/demo.svg, eight times as fast. Needs a terminal. Run `cargo
# xtask documents` and `cargo xtask demo` once before, so that the recording has no build.
set -euo pipefail

root=$(cd "$(dirname "$0")/../.." && pwd)
cd "$root"
target=$(cargo metadata --format-version 1 --no-deps --offline | python3 -c 'import json, sys; print(json.load(sys.stdin)["target_directory"])')
termtosvg=$target/documents-python/bin/termtosvg
cast=$target/demo.cast

stty cols 110 rows 42
CARGO_TERM_QUIET=true "$termtosvg" record "$cast" --command 'cargo xtask demo'
python3 - "$cast" << 'PYTHON'
import json
import sys

head, *events = open(sys.argv[1], encoding="utf-8").read().splitlines()
moments = [json.loads(event) for event in events]
with open(sys.argv[1], "w", encoding="utf-8") as cast:
    print(head, file=cast)
    for moment, *rest in moments:
        print(json.dumps([moment / 8, *rest]), file=cast)
PYTHON
"$termtosvg" render "$cast" docs/pictures/demo.svg --template gjm8 --min-frame-duration 250 --max-frame-duration 2000 --loop-delay 8000
if grep --quiet --fixed-strings "$root" docs/pictures/demo.svg; then
  echo "error: the recording shows a path of this machine." >&2
  exit 1
fi
