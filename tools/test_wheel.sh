#!/usr/bin/env bash
# The wheel and the sdist's tests in dist/ (tools/build_wheel.sh), installed under each Python named: once with the
# oldest release of every dependency that pyproject.toml allows and that has a wheel there, once with the newest.
# Usage: [BESIDE="scikit-learn numba torch"] bash tools/test_wheel.sh PYTHON... [-- PYTEST-ARGUMENT...]
# BESIDE names packages that bring an OpenMP of their own; they join the newest. Needs uv ('pip install uv').
set -euo pipefail

dist=$(cd "$(dirname "$0")/../dist" && pwd)
pythons=()
while [ $# -gt 0 ] && [ "$1" != -- ]; do pythons+=("$1"); shift; done
if [ ${#pythons[@]} -eq 0 ]; then sed -n 's/^# Usage: /Usage: /p' "$0" >&2; exit 2; fi
[ $# -eq 0 ] || shift # the --

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export VIRTUAL_ENV="$work/venv"
unset PYTHONPATH CHEQ_KERNEL OMP_NUM_THREADS
mkdir "$work/sdist" # its cheq is not built: only the installed one can be imported
tar -x -z -f "$dist"/cheq-*.tar.gz -C "$work/sdist" --strip-components=1

install() { uv pip install --quiet --only-binary :all: "$@"; }

failed=()
for python in "${pythons[@]}"; do
    for resolution in lowest-direct highest; do
        printf '\n== %s, %s\n' "$python" "$resolution"
        uv venv --quiet --clear --python "$python" "$VIRTUAL_ENV"
        install --resolution "$resolution" --requirements "$work/sdist/pyproject.toml" --extra test
        install --no-deps "$dist"/cheq-*.whl
        if [ "$resolution" = highest ] && [ -n "${BESIDE:-}" ]; then
            uv pip freeze > "$work/chosen.txt"
            install --constraints "$work/chosen.txt" $BESIDE
        fi
        uv pip freeze | grep -i -E '^(numpy|opencv|pillow|scikit|torch|numba|tifffile|imagecodecs|matplotlib|typer|rich)'
        (cd "$work/sdist" && "$VIRTUAL_ENV/bin/pytest" -q "$@") || failed+=("$python, $resolution") # and the others are run too
    done
done
[ ${#failed[@]} -eq 0 ] || { printf 'failed: %s\n' "${failed[@]}"; exit 1; }
