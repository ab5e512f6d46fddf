"""Fuzz for a while: kernels and jobs with libFuzzer, the public functions and the readers of files with atheris.

Usage: python tools/fuzz.py [SECONDS] [--keep FOLDER] [--only TARGET] [--seed NUMBER]

In an environment with '.[test]' and atheris, and with clang. Targets are built in the folder of inputs, a scratch one
if none is given, share the SECONDS (60 if not given) and print their executions. Exit status 1 on a finding: a crash, a
sanitizer's report, an input that takes more than 20 seconds or 2 GiB, or a result that differs from the reference. Its
input stays, and the command that runs it again is printed. With --keep the inputs that reached new code are kept in a
folder, from which a later run goes on. Each run tries others, unless it is given a --seed.
"""

import argparse
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent / "fuzz"
COMPILED, INTERPRETED = ("kernels", "jobs"), ("arrays", "files")

# Comparisons are not traced: the choices are small numbers, and it takes most of the time.
FLAGS = [
    *("-std=gnu11", "-g", "-O1", "-ffp-contract=off", "-fno-sanitize-recover=all"),
    *("-fsanitize=fuzzer,address,undefined", "-fno-sanitize-coverage=trace-cmp"),
]
LONGEST = {"kernels": 256, "jobs": 256, "arrays": 512, "files": 4096}  # bytes of an input


def main():
    parser = argparse.ArgumentParser(description="Fuzz kernels, jobs, the public functions and the readers of files.")
    parser.add_argument("seconds", nargs="?", type=int, default=60, help="in total, without the building [60]")
    parser.add_argument("--keep", type=Path, help="a folder of inputs to go on from; new ones and findings go there")
    parser.add_argument("--only", choices=COMPILED + INTERPRETED, action="append", help="one target, not all")
    parser.add_argument("--seed", type=int, default=0, help="of the inputs, from 1 on [another one each time]")
    arguments = parser.parse_args()
    targets = arguments.only or COMPILED + INTERPRETED
    for tool, found in (("clang", shutil.which("clang")), ("atheris", importlib.util.find_spec("atheris"))):
        if not found and any(target in (COMPILED if tool == "clang" else INTERPRETED) for target in targets):
            sys.exit(f"{tool} is not installed; --only takes the targets that do without")
    keep = (arguments.keep or Path(tempfile.mkdtemp(prefix="cheq-fuzz-"))).absolute()
    seconds = max(1, arguments.seconds // len(targets))
    found, total = False, 0
    for target in targets:
        executions, finding = fuzzed(target, built(target, keep), keep, seconds, arguments.seed)
        found, total = found or finding, total + executions
    print(f"{total:>10,} executions in all, {'with' if found else 'no'} finding{'s' * found}")
    if not arguments.keep and not found:
        shutil.rmtree(keep)
    sys.exit(found)


def built(target, folder):
    """Return the command of a target, which is compiled first if it is C."""
    if target in INTERPRETED:
        return [sys.executable, str(HERE / f"{target}.py")]
    program = folder / f"fuzz-{target}"
    folder.mkdir(parents=True, exist_ok=True)
    core = HERE.parents[1] / "cheq" / "_core"
    subprocess.run(["clang", *FLAGS, f"-I{core}", HERE / f"{target}.c", "-o", program, "-lm"], check=True)
    return [str(program)]


def fuzzed(target, command, keep, seconds, seed):
    """Run a target for so long; return its executions and whether it found something."""
    inputs, findings = keep / target, f"{keep}/{target}-"
    inputs.mkdir(parents=True, exist_ok=True)
    limits = [f"-max_len={LONGEST[target]}", "-len_control=0", "-timeout=20", "-rss_limit_mb=2048"]
    options = [
        f"-max_total_time={seconds}",
        f"-seed={seed}",
        "-print_final_stats=1",
        "-verbosity=0",
        f"-artifact_prefix={findings}",
    ]
    environment = {"UBSAN_OPTIONS": "print_stacktrace=1", "PYTHONHASHSEED": "0", **os.environ}
    before = set(keep.glob(f"{target}-*"))
    whole = [*command, inputs, *limits, *options]
    run = subprocess.run(whole, env=environment, capture_output=True, text=True, check=False)
    counted = re.search(r"number_of_executed_units: *(\d+)", run.stderr)
    executions = int(counted[1]) if counted else 0
    print(f"{executions:>10,} executions of {target} in {seconds} s", flush=True)
    if run.returncode == 0:
        return executions, False
    print(run.stdout[-2000:] + run.stderr[-6000:])
    for name in sorted(set(keep.glob(f"{target}-*")) - before):
        print(f"to run it again: {' '.join([*command, str(name), *limits[2:]])}")
    return executions, True


if __name__ == "__main__":
    main()
