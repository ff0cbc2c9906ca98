#!/usr/bin/env bash
# Run a command in .venv, apart from any ROS 2 that the shell has sourced.
set -euo pipefail
# shellcheck source=tools/env.sh
. "$(dirname "${BASH_SOURCE[0]}")/env.sh"

[ $# -gt 0 ] || die "usage: tools/in_venv.sh COMMAND [ARGUMENT...]" 2
[ -x "$VENV/bin/python" ] || die "there is no .venv yet: run 'make setup'."
leave_sourced_ros >&2
export VIRTUAL_ENV=$VENV PATH=$VENV/bin:$PATH
cd "$ROOT"
exec "$@"
