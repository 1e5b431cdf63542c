#!/bin/sh
# Builds with a current LibTorch (the one inside Python's `torch` package, CPU) in build/torch2 and
# runs the tests of the engine; with --all, every test, those against the Python programs with this
# PyTorch, too (MASE_TORCH2_PYTHON).
#   scripts/test_torch2.sh [--all]
#   TORCH_VERSION=2.13.0   which torch
#   TORCH_VENV=DIR         use this virtual environment instead of making build/torch2/venv
set -eu

cd "$(dirname "$0")/.."
version=${TORCH_VERSION:-2.13.0}
build=build/torch2
venv=${TORCH_VENV:-$build/venv}
jobs=${JOBS:-$(nproc)}
tests="^engine"
targets="mase_engine_torch engine_registry_test engine_test engine_torch_test"
programs=
case "${1:-}" in
  "") ;;
  --all) tests="." targets="all" programs=yes ;;
  *) echo "usage: $0 [--all]" >&2; exit 2 ;;
esac

if [ ! -x "$venv/bin/python" ]; then
  python3 -m venv "$venv"
fi
if ! "$venv/bin/python" -c "import importlib.metadata as m; assert m.version('torch').startswith('$version')" 2>/dev/null; then
  # Only its headers and libraries are used: the Python packages it depends on are not needed.
  "$venv/bin/pip" install --quiet --no-deps "torch==$version"
fi
package=$("$venv/bin/python" -c "import importlib.util as u; print(u.find_spec('torch').submodule_search_locations[0])")
if [ -e "$package/lib/libtorch_cuda.so" ]; then
  echo "torch $version in $venv is a CUDA build; this script needs the CPU wheel" >&2
  exit 5
fi
if [ -n "$programs" ]; then
  "$venv/bin/pip" install --quiet -r tests/interop/requirements-torch2.txt
  MASE_TORCH2_PYTHON=$(realpath -s "$venv/bin/python")
  export MASE_TORCH2_PYTHON
fi

cmake -S . -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DMASE_WERROR=ON \
  -DCMAKE_PREFIX_PATH="$package/share/cmake" > "$build.log" 2>&1 || {
  cat "$build.log" >&2; exit 1; }
grep LibTorch "$build.log"
# shellcheck disable=SC2086
ninja -C "$build" -j "$jobs" $targets
ctest --test-dir "$build" -R "$tests" --output-on-failure -j "$jobs"
echo "passed with LibTorch $version"
