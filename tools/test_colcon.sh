#!/usr/bin/env bash
# Build the package with colcon in a scratch workspace, run the smoke tests there, start what it installs.
#
# Run by `make test` through tools/in_venv.sh; works as well where ROS 2 is sourced. The checkout is copied,
# so nothing is left in it, and what it does not hold cannot help. It is `python3 -m colcon` so that the
# tests run in the virtual environment even if colcon itself came by apt.
set -euo pipefail
# shellcheck source=tools/env.sh
. "$(dirname "${BASH_SOURCE[0]}")/env.sh"

workspace=$(mktemp -d)
trap 'rm -rf "$workspace"' EXIT
mkdir -p "$workspace/src/vlm_vpr_ros"
tar -C "$ROOT" --exclude-vcs --exclude=./.venv --exclude=./demo_output --exclude=./build --exclude=./install \
  --exclude=./log --exclude=__pycache__ --exclude='*.egg-info' --exclude='.*_cache' -cf - . |
  tar -C "$workspace/src/vlm_vpr_ros" -xf -
cd "$workspace"

echo "[colcon 1/3] colcon build ..."
python3 -m colcon build --packages-select vlm_vpr_ros ||
  die "colcon build failed."

echo "[colcon 2/3] colcon test: the smoke tests ..."
python3 -m colcon test --packages-select vlm_vpr_ros --return-code-on-test-failure \
  --event-handlers console_direct+ --pytest-args -m smoke || die "colcon test failed."
python3 -m colcon test-result --verbose || die "colcon test-result reports failures."
# colcon takes "no test ran" for a success; so it would be if every test was skipped.
python3 - build/vlm_vpr_ros/pytest.xml <<'P' || die "no smoke test ran against the installation."
import sys
from xml.etree import ElementTree

cases = ElementTree.parse(sys.argv[1]).getroot().findall(".//testcase")
ran = [c for c in cases if c.find("skipped") is None]
sys.exit(not any("test_installed" in c.get("classname", "") for c in ran))
P

echo "[colcon 3/3] starting what was installed ..."
ln -s "$(command -v python3)" python3 # colcon's scripts cannot call one whose path has a space
export COLCON_PYTHON_EXECUTABLE=$workspace/python3
set +u # they read variables that may be unset, too
# shellcheck source=/dev/null
. install/setup.bash
set -u
bin=install/vlm_vpr_ros/lib/vlm_vpr_ros
"$bin/vlm_vpr" --version || die "the installed vlm_vpr does not start."
began=$SECONDS
timeout --preserve-status --kill-after=15 --signal=INT 6 \
  "$bin/relocalizer" --ros-args -p autostart:=false >relocalizer.log 2>&1 || code=$?
if ((SECONDS - began < 5)) || [[ ! ${code:-0} =~ ^(0|130)$ ]]; then
  cat relocalizer.log >&2
  die "the installed relocalizer ended by itself, or badly when interrupted (code ${code:-0})."
fi
echo "built, tested, started and stopped in a scratch workspace: all well."
