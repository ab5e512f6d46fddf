#!/usr/bin/env bash
# cheq on 64-bit ARM: cross-compiled, its tests and its parity check run under qemu's emulation, beside the
# aarch64 wheels of the libraries it is compared with; and what differs when a compiler fuses products and sums.
# Usage: bash tools/aarch64.sh [FOLDER [TEST...]]   (root; FOLDER keeps 1 GB, build/aarch64 unless named; with TESTs, such
# as test_values, these alone and no parity check. An hour on one core.)
# Needs: apt-get install debootstrap qemu-user gcc-aarch64-linux-gnu libc6-dev-arm64-cross libgomp1, and Cython.
set -euo pipefail

here=$(cd "$(dirname "$0")/.." && pwd)
mkdir -p "${1:-$here/build/aarch64}"
work=$(cd "${1:-$here/build/aarch64}" && pwd)
tests=("${@:2}")
whole=
if [ ${#tests[@]} -eq 0 ]; then
    whole=yes
    tests=(test_kernels test_kernel_choice test_guards test_kernel_layouts test_kernel_luts test_values
        test_references test_methods test_float test_float_nan test_steps test_threshold test_threshold_batches test_color test_recipes
        test_layouts test_every_layout test_clahe
        test_match test_match_floats test_match_luts test_match_masks)
fi
root=$work/root
unset PYTHONPATH
export PYTHONDONTWRITEBYTECODE=1 PIP_DISABLE_PIP_VERSION_CHECK=1

say() { printf '\n== %s\n' "$*"; }

for command in debootstrap qemu-aarch64 aarch64-linux-gnu-gcc; do
    command -v $command > /dev/null || { echo "$command is missing: see this file's head"; exit 1; }
done

arm_python() { # arm_python BUILD ARGUMENT...: Debian's Python for ARM, with this build of cheq
    "$work/python-$1" "${@:2}"
}

interpreter() { # interpreter BUILD: a command that Python takes for its own, for tests that start interpreters
    cat > "$work/python-$1" << END
#!/bin/sh
export PYTHONHOME="$root/usr" QEMU_LD_PREFIX="$root" PYTHONPATH="\${PYTHONPATH-$work/$1:$work/site}"
exec qemu-aarch64 -0 "\$0" "$root/usr/bin/python3" "\$@"
END
    chmod +x "$work/python-$1"
}

if ! [ -x "$root/usr/bin/python3" ]; then
    say "Debian's Python 3.11 and libraries for arm64"
    rm -rf "$root"
    # Only its files are wanted, so packages are unpacked and not set up.
    debootstrap --foreign --arch=arm64 --variant=minbase \
        --include=python3-minimal,libpython3-stdlib,libpython3-dev,python3-dev,libgomp1,libstdc++6 bookworm "$root" \
        > "$work/debootstrap.log" || { tail "$work/debootstrap.log"; exit 1; }
    for package in "$root"/var/cache/apt/archives/*.deb; do
        dpkg -x "$package" "$root"
    done
fi

if ! [ -d "$work/site/numpy" ]; then
    say "aarch64 wheels of NumPy, cv2, Pillow, scikit-image and the test tools"
    platforms=()
    for glibc in 2_28 2_27 2_26 2_24 2_17; do
        platforms+=(--platform "manylinux_${glibc}_aarch64")
    done
    python3 -m pip install --quiet --target "$work/site" "${platforms[@]}" --platform manylinux2014_aarch64 \
        --python-version 3.11 --implementation cp --abi cp311 --abi abi3 --abi none --only-binary=:all: \
        numpy opencv-python-headless Pillow scikit-image pytest hypothesis threadpoolctl tifffile imagecodecs typer rich
fi

build() { # build NAME: the working tree's files, compiled into a folder of this name
    rm -rf "$work/copy" "${work:?}/$1"
    mkdir -p "$work/copy"
    (cd "$here" && git ls-files -z --cached --others --exclude-standard cheq tests setup.py pyproject.toml README.md LICENSE |
        tar --null --files-from - -c) | tar -x -C "$work/copy"
    pushd "$work/copy" > /dev/null
    "${@:2}"
    CC=aarch64-linux-gnu-gcc LDSHARED="aarch64-linux-gnu-gcc -shared" CFLAGS="-Wall -Wextra" python3 setup.py \
        build_ext "--include-dirs=$root/usr/include/python3.11:$root/usr/include" build --build-lib "$work/$1" \
        > "$work/$1.log" 2>&1 || { tail -n 30 "$work/$1.log"; exit 1; }
    if grep -E 'cheq/_core/[^ ]*\.h:[0-9]+:[0-9]+: warning' "$work/$1.log"; then
        exit 1
    fi
    popd > /dev/null
    interpreter "$1"
}

say "Cross-compile, as setup.py says and with -ffp-contract=fast"
# GCC fuses nothing under -std=c11 even without the flag; Clang does (14: 154 instructions), as GCC does when told to.
build contracted sed -i 's/-ffp-contract=off/-ffp-contract=fast/' setup.py
build plain true
fused() { # fused BUILD: how many instructions round a product and a sum once
    find "$work/$1" -name '*.so' -exec aarch64-linux-gnu-objdump -d --no-show-raw-insn {} + |
        grep -cE '\s(fn?m(add|sub)|fml[as])\s' || true
}
printf 'fused multiply-adds: %s as setup.py says, %s with -ffp-contract=fast\n' "$(fused plain)" "$(fused contracted)"
[ "$(fused plain)" -eq 0 ]
cd "$work"
arm_python plain -c 'import cheq; cheq.show_config()'

say "Tests"
failed=()
for test in "${tests[@]}"; do
    echo "$test"
    arm_python plain -m pytest -q -p no:cacheprovider --rootdir "$work/copy" -c "$work/copy/pyproject.toml" \
        "$work/copy/tests/$test.py" || failed+=("$test") # and the others are seen too
done

if [ $whole ]; then
    say "Does -ffp-contract=off matter?"
    arm_python plain "$here/tools/contraction.py"
    arm_python contracted "$here/tools/contraction.py" --expect-differences

    say "Parity with cv2, Pillow, scikit-image and NumPy for ARM"
    arm_python plain -m cheq.parity
fi

[ ${#failed[@]} -eq 0 ] || { echo "failed: ${failed[*]}"; exit 1; }
say "all passed"
