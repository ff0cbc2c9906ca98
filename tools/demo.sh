#!/usr/bin/env bash
# Build a region from one drive and measure relocalization on another: `make demo MAP=bag QUERY=bag`.
set -euo pipefail
# shellcheck source=tools/env.sh
. "$(dirname "${BASH_SOURCE[0]}")/env.sh"

map=${MAP:-} query=${QUERY:-}
if [ -z "$map" ] || [ -z "$query" ]; then
  die "say which drives: make demo MAP=<bag of the map drive> QUERY=<bag of another drive there>
Each is a rosbag2 folder (mcap or sqlite3) or a ROS 1 .bag with images and NavSatFix messages." 2
fi
for bag in "$map" "$query"; do
  [ -e "$bag" ] || die "there is no $bag." 2
done
[ "${1:-}" != --check ] || exit 0

cd "$ROOT"
out=demo_output
mkdir -p "$out"
vlm_vpr build "$map" --out "$out/region"
vlm_vpr evaluate "$out/region" "$query" --json "$out/evaluation.json"
echo "The region is in $out/region, the evaluation in $out/evaluation.json."
