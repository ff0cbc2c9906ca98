#!/usr/bin/env bash
# Make .venv: ROS 2 Kilted from wheels, what the package needs, developers' tools, the package itself.
#
# Each step leaves a stamp that says what it was made from: a step that is done is not repeated, one
# whose requirements have changed is. PYTHON=python3.12 chooses the interpreter.
set -euo pipefail
# shellcheck source=tools/env.sh
. "$(dirname "${BASH_SOURCE[0]}")/env.sh"
cd "$ROOT"

supported() {
  "$1" -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null
}

version_of() { "$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null || true; }

hash_of() { cat "$@" | sha256sum | cut -c1-16; }

pip_install() { "$VENV/bin/python" -m pip install --no-input --progress-bar off "$@"; }

choose_python() {
  local candidate
  if [ -n "${PYTHON:-}" ]; then
    supported "$PYTHON" || die "PYTHON=$PYTHON is not Python 3.10, 3.11, 3.12 or 3.13."
    return
  fi
  for candidate in "$VENV/bin/python" python3 python3.12 python3.11 python3.13 python3.10; do
    if supported "$candidate"; then
      PYTHON=$candidate
      return
    fi
  done
  die "this needs Python 3.10, 3.11, 3.12 or 3.13; python3 here: $(python3 --version 2>&1 || true)
Debian, Ubuntu: sudo apt install python3 python3-venv; a Python elsewhere: make PYTHON=/path/to/python3.12 ..."
}

make_venv() {
  local version
  version=$(version_of "$PYTHON")
  if [ "$(cat "$VENV/.done-venv" 2>/dev/null)" = "$VENV $version" ] &&
    [ "$(version_of "$VENV/bin/python")" = "$version" ]; then
    return
  fi
  "$PYTHON" -c 'import ensurepip, venv' 2>/dev/null ||
    die "this Python cannot make a virtual environment. On Debian and Ubuntu:
    sudo apt install python$version-venv"
  echo "[1/5] Python $version environment in .venv ..."
  rm -rf "$VENV" # none, one that broke off, one of another Python, or one that was moved here
  "$PYTHON" -m venv "$VENV"
  echo "$VENV $version" >"$VENV/.done-venv"
}

clock() { printf '%d:%02d' $(($1 / 60)) $(($1 % 60)); }

# The newest line of a log; of a compiler's command line only the count and the file.
last_line() {
  tail -c 4000 "$1" | tr '\r' '\n' | grep -v '^[[:space:]]*$' | tail -n 1 |
    sed -E 's|^ *(\[[0-9]+/[0-9]+\]).* -c [^ ]*/([^ /]+)$|\1 \2|; s|^ *||' | cut -c1-80 || true
}

# step NUMBER NAME KEY TITLE HINT: run the function install_NAME, unless its stamp says KEY.
step() {
  local stamp=$VENV/.done-$2 log=$VENV/log/$2.log began=$SECONDS told=$SECONDS pid
  [ "$(cat "$stamp" 2>/dev/null)" != "$3" ] || return 0
  echo "[$1/5] $4 ..."
  rm -f "$stamp"
  mkdir -p "$VENV/log"
  set -m # a process group of its own, so that an interrupt stops the compilers, too
  ("install_$2") >"$log" 2>&1 </dev/null &
  pid=$!
  set +m
  trap 'kill -INT -- "-$pid"; wait "$pid"; die "stopped. Run it again: it goes on from this step." 130' \
    INT TERM
  while kill -0 "$pid" 2>/dev/null; do
    sleep 0.5
    if ((SECONDS - told >= 15)); then
      told=$SECONDS
      echo "      $(clock $((SECONDS - began)))  $(last_line "$log")"
    fi
  done
  if ! wait "$pid"; then
    printf '\n--- the end of %s ---\n' "$log" >&2
    tail -n 25 "$log" >&2
    die "step $1 of 5 failed. $5"
  fi
  trap - INT TERM
  echo "$3" >"$stamp"
  echo "      done after $(clock $((SECONDS - began)))"
}

install_ros() { pip_install -r requirements/ros-wheels.txt -c requirements/core.txt; }

# One wheel serves every Python version, so it is kept outside .venv, under a name that says how it was
# built. pip's own cache is no help: it would hand back a wheel that was built with other flags.
install_llama() {
  local pip_wheel=("$VENV/bin/python" -m pip wheel --no-input --no-deps --no-cache-dir -w "$LLAMA_WHEELS")
  mkdir -p "$LLAMA_WHEELS"
  if ! compgen -G "$LLAMA_WHEELS/*.whl"; then
    "${pip_wheel[@]}" --only-binary :all: "$LLAMA" || {
      command -v "${CXX:-c++}" || { echo "There is no C++ compiler." && return 1; }
      CMAKE_ARGS=$LLAMA_FLAGS "${pip_wheel[@]}" -v "$LLAMA"
    }
  fi
  pip_install --no-deps --force-reinstall "$LLAMA_WHEELS"/*.whl
}

install_packages() {
  pip_install -c requirements/ros-wheels.txt \
    -r requirements/core.txt -r requirements/opencv.txt -r requirements/dev.txt
}

install_project() {
  pip_install --no-deps --no-build-isolation --editable .
  cd / && "$VENV/bin/python" -c 'import cv_bridge, faiss, llama_cpp, onnxruntime, rclpy, vlm_vpr_ros'
}

[ "$(uname -sm)" = "Linux x86_64" ] ||
  die "ROS 2 exists as wheels for Linux on x86-64 only. Here, install ROS 2 itself and follow
\"On a machine with ROS 2\" in README.md (rosdep install, one pip line, colcon build)."
leave_sourced_ros
export PIP_USER=0 PIP_DISABLE_PIP_VERSION_CHECK=1
choose_python
make_venv

requirements=$(hash_of requirements/*.txt)
LLAMA=$(sed -n 's/^\(llama-cpp-python[^ #;]*\).*/\1/p' requirements/core.txt)
LLAMA_FLAGS="$(tools/llama_flags.sh) ${CMAKE_ARGS:-}" # the user's come last: they win
llama=$(echo "$LLAMA $LLAMA_FLAGS $(getconf GNU_LIBC_VERSION)" | hash_of)
LLAMA_WHEELS=${XDG_CACHE_HOME:-${HOME:-$VENV}/.cache}/vlm_vpr_ros/llama-$llama
network="If the network failed, run it again: what was downloaded is kept."
step 2 ros "$requirements" "ROS 2 Kilted from wheels" "$network"
compiles="compiles for 5 minutes on 2 idle cores, unless a wheel fits"
! compgen -G "$LLAMA_WHEELS/*.whl" >/dev/null || compiles="compiled before"
step 3 llama "$llama" "llama.cpp ($compiles)" \
  "It needs a C++ compiler. On Debian and Ubuntu:
    sudo apt install g++"
step 4 packages "$requirements" "the other Python packages (about 600 MB to download)" "$network"
step 5 project "$(hash_of setup.py setup.cfg pyproject.toml package.xml requirements/*.txt)" \
  "this package, and whether everything imports" \
  "If it misses libgomp.so.1: sudo apt install libgomp1. Else start anew: rm -rf .venv"
