#!/usr/bin/env bash
# The kernels, and the extension built for it, under a tool that reports what no test would see. The last line is the result.
# Usage: bash tools/sanitize.sh guards|driver|address|undefined|thread|valgrind [LAST [ALIGNMENTS]]
#        driver: the kernels alone, under the tools of address and undefined at once
#        LAST and ALIGNMENTS: see tests/native/guards.c   (Debian's names: gcc clang libclang-rt-14-dev libomp-14-dev valgrind)
# Run in an environment with the requirements of the build and of the tests.
set -euo pipefail
cd "$(dirname "$0")/.."
tool=${1:?guards, driver, address, undefined, thread or valgrind}
shift

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
warnings="-Wall -Wextra -Werror"
unset CHEQ_KERNEL

driver() { # driver COMPILER FLAG...: the C driver, built
    "$@" $warnings -std=c11 -ffp-contract=off -Icheq/_core tests/native/guards.c -o "$work/guards" -lm
}

extension() { # extension FLAG...: a copy of the sources with the extension in it, built by clang
    mkdir "$work/copy"
    cp -r cheq tests setup.py pyproject.toml README.md LICENSE "$work/copy"
    rm -f "$work"/copy/cheq/_core/*.so
    (cd "$work/copy" && CC="clang $*" CHEQ_OPENMP=1 python setup.py -q build_ext --inplace -j 2) > "$work/build.log" 2>&1 ||
        { cat "$work/build.log"; exit 1; }
}

runtime() { # runtime NAME: the path of a library of clang's
    local found
    for found in "$(clang -print-file-name="$1")" "$(clang -print-resource-dir)/../../$1"; do
        [[ ! -e $found ]] || { realpath "$found"; return; }
    done
    echo "clang has no $1" >&2
    return 1
}

under() { # under LIBRARY COMMAND...: the command with the tool's runtime in it, and the copy's cheq
    local library
    library=$(runtime "libclang_rt.$1-$(uname -m).so")
    shift
    (cd "$work/copy" && PYTHONPATH=$work/copy LD_PRELOAD=$library LD_LIBRARY_PATH=$(dirname "$library") "$@")
}

interpreter() { # a Python of which ThreadSanitizer is a part: unlike the others it cannot be preloaded
    local flags
    flags=$(python -c 'import sysconfig
get = sysconfig.get_config_var
print("-I" + sysconfig.get_path("include"), "-L" + get("LIBDIR"), "-Wl,-rpath," + get("LIBDIR"))
print("-rdynamic", "-lpython" + get("LDVERSION"), get("LIBS"), get("SYSLIBS"))')
    clang -fsanitize=thread tests/native/python.c $flags -o "$work/python"
}

# Every kernel in every layout; guard pages, masks, colors, floats, hostile arguments. Not those of minutes without a tool.
tests=(tests/test_kernel_layouts.py tests/test_guards.py
    tests/test_layouts.py tests/test_hostile.py tests/test_out.py
    tests/test_every_layout.py tests/test_color.py tests/test_color_memory.py tests/test_float.py tests/test_float_nan.py
    tests/test_clahe.py tests/test_clahe_color.py tests/test_clahe_extremes.py tests/test_clahe_skimage.py
    tests/test_match.py tests/test_match_attacks.py tests/test_match_floats.py tests/test_match_luts.py tests/test_match_masks.py)
# The tools write to file 2, which pytest must leave alone.

case $tool in
guards)
    driver gcc -O3 -fno-ipa-ra
    "$work/guards" "$@"
    ;;
driver)
    driver clang -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all
    "$work/guards" "$@"
    ;;
address)
    driver clang -O1 -g -fsanitize=address
    "$work/guards" "$@"
    extension -fsanitize=address -shared-libsan -g
    # The interpreter itself ends with memory it has not freed.
    export ASAN_OPTIONS=detect_leaks=0 PYTHONMALLOC=malloc
    under asan python -m pytest -q --capture=sys -p no:cacheprovider -m "not long" "${tests[@]}"
    ;;
undefined)
    driver clang -O1 -g -fsanitize=undefined -fno-sanitize-recover=all
    "$work/guards" "$@"
    export CFLAGS=-fno-wrapv # CPython's own flags let signed numbers overflow, and nothing would be reported
    extension -fsanitize=undefined -fno-sanitize-recover=all -shared-libsan -g
    under ubsan_standalone python -m pytest -q --capture=sys -p no:cacheprovider -m "not long" "${tests[@]}"
    ;;
thread)
    interpreter
    extension -fsanitize=thread -g
    # Archer tells the tool what OpenMP's own code, which is not instrumented, waits for.
    OMP_TOOL_LIBRARIES=$(runtime libarcher.so)
    PYTHONHOME=$(python -c 'import sys; print(sys.base_prefix)')
    PYTHONPATH=$work/copy:$(python -c 'import os, sys; print(os.pathsep.join(sys.path[1:]))')
    export OMP_TOOL_LIBRARIES PYTHONHOME PYTHONPATH ARCHER_OPTIONS=verbose=1 TSAN_OPTIONS=ignore_noninstrumented_modules=1
    "$work/python" "$work/copy/tests/thread_cases.py" "$@"
    ;;
valgrind)
    driver gcc -O1 -g -fno-ipa-ra -DCHEQ_TEST_VALGRIND
    [[ $# -gt 0 ]] || set -- 300 1
    valgrind -q --error-exitcode=1 "$work/guards" "$@"
    ;;
*)
    echo "tools/sanitize.sh: expected guards, driver, address, undefined, thread or valgrind, got $tool" >&2
    exit 2
    ;;
esac
echo "$tool: nothing to report"
