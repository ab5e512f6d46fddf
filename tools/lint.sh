#!/usr/bin/env bash
# All that is checked without running it: ruff, mypy, and clang-tidy on the kernels and their driver.
# Usage: bash tools/lint.sh   (Debian's name: clang-tidy; about a minute)
set -euo pipefail
cd "$(dirname "$0")/.."

ruff check .
ruff format --check .
mypy

# Two programs that between them hold every header, for two processors; functions in headers are analysed too.
for source in tests/native/guards.c tools/portable.c; do
    clang-tidy --quiet "$source" -- -std=c11 -Icheq/_core -Xclang -analyzer-opt-analyze-headers 2>&1 |
        { grep -vE '^([0-9]+ warnings? generated|Suppressed|Use -header-filter)' || true; }
    echo "clang-tidy: $source is clean"
done
