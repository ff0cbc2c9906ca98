#!/usr/bin/env bash
# Map one drive, let the node find the robot on another, and measure it: `make demo MAP=bag QUERY=bag`.
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
rm -rf "$out"
mkdir -p "$out"

printf '\n=== 1. A region from the map drive\n'
vlm_vpr build "$map" --out "$out/region"
vlm_vpr info "$out/region"

printf '\n=== 2. The node on the query drive\n'
python -m vlm_vpr_ros.node.demo "$out/region" "$query"

printf '\n=== 3. Every frame of the query drive\n'
vlm_vpr evaluate "$out/region" "$query" --json "$out/evaluation.json" --report "$out/evaluation.html"
vlm_vpr map "$out/region" --out "$out/region.html"
echo "Look at $ROOT/$out/evaluation.html: figures, a map of truth and fixes, and the worst cases."
