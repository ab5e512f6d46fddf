#!/usr/bin/env bash
# The portable kernels as C11 without GNU extensions, as MSVC needs them, by every compiler found here; for Windows too.
# Usage: bash tools/check_portable.sh   (Debian's names: gcc clang tcc gcc-mingw-w64-x86-64)
set -euo pipefail
cd "$(dirname "$0")/.."

object=$(mktemp)
trap 'rm -f "$object"' EXIT
strict="-pedantic-errors -Wall -Wextra -Wvla -Werror -Wno-unused-function" # a header's functions are not all called here

compile() { # compile COMPILER [FLAG...]
    if command -v "$1" > /dev/null; then
        "$@" -std=c11 -Icheq/_core -c tools/portable.c -o "$object"
        echo "compiled: $*"
        compiled=yes
    else
        echo "not installed: $1"
    fi
}

compiled=
compile gcc $strict
compile clang $strict
compile tcc -Wall -Werror # has no name for GNU extensions, and few of them
compile x86_64-w64-mingw32-gcc $strict
if command -v x86_64-w64-mingw32-gcc > /dev/null; then
    compile clang --target=x86_64-w64-mingw32 $strict # with the headers of the one before
fi
[[ $compiled ]] || { echo "no compiler was found"; exit 1; }
