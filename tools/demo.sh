#!/usr/bin/env bash
# Show the whole system at work: `make demo` in a simulated world, `make demo MAP=bag QUERY=bag` on your own drives.
set -euo pipefail
# shellcheck source=tools/env.sh
. "$(dirname "${BASH_SOURCE[0]}")/env.sh"

map=${MAP:-} query=${QUERY:-}
if [ -n "$map$query" ]; then
  if [ -z "$map" ] || [ -z "$query" ]; then
    die "name both drives: make demo MAP=<bag of the map drive> QUERY=<bag of another drive there>
Each is a rosbag2 folder (mcap or sqlite3) or a ROS 1 .bag with images and NavSatFix messages." 2
  fi
  for bag in "$map" "$query"; do
    [ -e "$bag" ] || die "there is no $bag." 2
  done
fi
[ "${1:-}" != --check ] || exit 0

cd "$ROOT"
out=demo_output
rm -rf "$out"
mkdir -p "$out"

title() { printf '\n=== %s\n' "$*"; }

# Rendered once for each version of the simulator: the name says of what.
world() {
  local key cache
  key=$(cat vlm_vpr_ros/sim/*.py | sha256sum | cut -c1-16)
  cache=${XDG_CACHE_HOME:-$HOME/.cache}/vlm_vpr_ros
  WORLD=$cache/world-$key
  if [ -f "$WORLD/world.json" ]; then
    echo "rendered before: $WORLD"
    return
  fi
  mkdir -p "$cache"
  rm -rf "$WORLD" "$WORLD.part"
  vlm_vpr sim --preset demo --out "$WORLD.part"
  mv "$WORLD.part" "$WORLD"
}

own_drives() {
  title "1/3 A region from the map drive"
  vlm_vpr build "$map" --out "$out/region"
  vlm_vpr info "$out/region"

  title "2/3 The node on the query drive"
  python -m vlm_vpr_ros.node.demo "$out/region" "$query"

  title "3/3 Every frame of the query drive"
  vlm_vpr evaluate "$out/region" "$query" --json "$out/evaluation.json" --report "$out/report.html"
}

simulated_towns() {
  title "1/6 Five towns in five countries; some of their streets are the same"
  world

  title "2/6 A region from a drive by day through each town"
  vlm_vpr build "$WORLD"/map_* --fix-topic /fix --every 2 --out "$out/region"
  vlm_vpr info "$out/region"

  title "3/6 How sure is sure enough: a calibration on ten drives in all lights, which also leave the map"
  vlm_vpr calibrate "$out/region" "$WORLD"/calibration_* --odom-topic /odom --target 0.05

  # A parameter file as the node takes it: which model looks at the frames, and how far it is trusted.
  python -m vlm_vpr_ros.sim.town_vlm >"$out/parameters.yaml"

  title "4/6 The node on a robot that is carried from town to town, at other times of day"
  python -m vlm_vpr_ros.node.demo "$out/region" "$WORLD/query" \
    --params "$out/parameters.yaml" --world "$WORLD/world.json" --rate 6

  title "5/6 Every frame of that drive as the first look after a kidnapping, retrieval alone"
  vlm_vpr evaluate "$out/region" "$WORLD/query" --frames 1 --json "$out/alone.json"

  title "6/6 The same, guided by the vision-language model"
  vlm_vpr evaluate "$out/region" "$WORLD/query" --frames 1 --params "$out/parameters.yaml" \
    --json "$out/guided.json" --report "$out/report.html"

  title "What the model's prior changed, among views that can be recognised"
  vlm_vpr compare "$out/alone.json" "$out/guided.json" --world "$WORLD/world.json"
}

began=$SECONDS
if [ -n "$map" ]; then own_drives; else simulated_towns; fi
vlm_vpr map "$out/region" --out "$out/region.html"
printf '\nDone in %d:%02d. Open %s: figures, the map of truth and fixes, the worst cases.\n' \
  $(((SECONDS - began) / 60)) $(((SECONDS - began) % 60)) "$ROOT/$out/report.html"
