#!/usr/bin/env bash
# Coverage of the lines and branches of Python and the lines of Cython: a build of its own, in a scratch folder, under the tests.
# Usage: bash tools/coverage.sh [PYTEST ARGUMENT...]   (all tests without one; in an environment with '.[test]' and coverage)
# What subprocesses run is not counted. Kernels are C, and not measured here: tests/test_kernels.py names every one of them.
set -euo pipefail
cd "$(dirname "$0")/.."

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
tar -c --exclude='*.so' --exclude=build --exclude=.git . | tar -x -C "$work"
cd "$work"

cat > .coveragerc << 'SETTINGS'
[run]
plugins = Cython.Coverage
source = cheq
branch = True
[report]
skip_covered = True
show_missing = True
exclude_also =
    if TYPE_CHECKING:
SETTINGS

CHEQ_TRACE=1 CFLAGS="-O1" python setup.py --quiet build_ext --inplace > build.log 2>&1 || { cat build.log; exit 1; }
export PYTHONPATH=$work
status=0
# An exception of a signal's handler may be raised in coverage.py, which then stops measuring: no interrupts here. And
# Cython's tracing takes the GIL on OpenMP's threads by calls that know one interpreter alone.
coverage run -m pytest -q -p no:cacheprovider -m "not long" -k "not interrupt and not second_interpreter" "$@" || status=$?
coverage report
exit $status
