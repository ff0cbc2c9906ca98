#!/usr/bin/env bash
# Print the CMake flags that llama.cpp is to be built with on this machine (for CMAKE_ARGS).
#
# Not GGML_NATIVE on x86: a native build has crashed at its first decode, in its AMX code. On other
# processors its own choice is the right one.
set -euo pipefail

[ "$(uname -m)" = x86_64 ] || exit 0
flags=-DGGML_NATIVE=OFF
for feature in avx avx2 fma f16c bmi2; do
  if grep -qw "$feature" /proc/cpuinfo; then has=ON; else has=OFF; fi
  flags+=" -DGGML_${feature^^}=$has"
done
echo "$flags"
