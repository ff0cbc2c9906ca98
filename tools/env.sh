# Sourced by the scripts beside it: where things are, how to stop, an environment with one ROS 2.
# shellcheck shell=bash disable=SC2034

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
VENV=$ROOT/.venv

die() {
  printf '\n%s: %s\n' "$(basename "$0")" "$1" >&2
  exit "${2:-1}"
}

# The ROS 2 in .venv and one that the shell has sourced would load each other's libraries.
leave_sourced_ros() {
  local entry prefix kept=()
  if [ -n "${AMENT_PREFIX_PATH:-}" ]; then
    echo "note: leaving out the sourced ROS 2 (${ROS_DISTRO:-no name}): .venv has one of its own."
  fi
  while IFS= read -r -d : entry; do
    while IFS= read -r -d : prefix; do
      if [ -n "$prefix" ] && [[ $entry/ == "$prefix"/* ]]; then entry=; fi
    done <<<"/opt/ros:${AMENT_PREFIX_PATH:-}:${COLCON_PREFIX_PATH:-}:"
    if [ -n "$entry" ]; then kept+=("$entry"); fi
  done <<<"${LD_LIBRARY_PATH:-}:"
  LD_LIBRARY_PATH=$(IFS=: && echo "${kept[*]-}")
  if [ -n "$LD_LIBRARY_PATH" ]; then export LD_LIBRARY_PATH; else unset LD_LIBRARY_PATH; fi
  unset PYTHONPATH PYTHONHOME AMENT_PREFIX_PATH COLCON_PREFIX_PATH CMAKE_PREFIX_PATH
  unset ROS_DISTRO ROS_VERSION ROS_PYTHON_VERSION RMW_IMPLEMENTATION ROS_DISCOVERY_SERVER
  # The wheels' start-up hook sets library paths unless a parent of another environment says it has.
  unset _ROS_WHEELS_BOOTSTRAP_COMPLETE
  # Tests and the demo must not talk to a robot that happens to be on the network.
  unset ROS_LOCALHOST_ONLY ROS_STATIC_PEERS
  export ROS_AUTOMATIC_DISCOVERY_RANGE=LOCALHOST
}
