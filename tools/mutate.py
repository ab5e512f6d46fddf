"""Break each formula once, and see that the core of the tests fails: python tools/mutate.py [PART OF A NAME...]

Each mutation of tools/mutations.py is made in a copy of the sources, where the extensions are built again and
``pytest -m core -x`` runs. Exit status 1 where a mutation survives, where a control fails, or where an old text is no
longer there: then fit it to the code that took its place. In an environment with '.[test]'; a quarter of a minute each.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue

from mutations import CONTROLS, MUTATIONS

ROOT = Path(__file__).parent.parent
WORKERS = 2
BUILD = ("setup.py", "-q", "build_ext", "--inplace")
CORE = ("-m", "pytest", "-q", "-x", "-m", "core", "-p", "no:cacheprovider")


def copied(folder):
    """A copy of the sources in a folder, built."""
    shutil.copytree(ROOT, folder, ignore=shutil.ignore_patterns(".*", "build", "dist", "*.egg-info", "__pycache__"))
    python(folder, *BUILD)
    return folder


def python(folder, *arguments, check=True):
    environment = {**os.environ, "PYTHONPATH": str(folder), "OMP_WAIT_POLICY": "passive"}
    done = subprocess.run([sys.executable, *arguments], cwd=folder, env=environment, capture_output=True, text=True)
    if check and done.returncode:
        sys.exit(f"{' '.join(arguments)} failed:\n{done.stdout}{done.stderr}")
    return done


def edited(folder, edits):
    """Make the edits; returns the files' texts of before."""
    kept = {}
    for name, old, new in edits:
        text = (folder / name).read_text()
        if text.count(old) != 1:
            sys.exit(f"{name} has {text.count(old)} times, not once: {old!r}")
        kept.setdefault(name, text)
        (folder / name).write_text(text.replace(old, new))
    return kept


def first_failure(folder, edits):
    """The test of the core that fails with the edits, or None."""
    kept = edited(folder, edits)
    golden = folder / "tests" / "golden.txt"
    kept[golden] = golden.read_text()
    try:
        python(folder, *BUILD)
        if "tests/reference.py" in kept:  # a new method has hashes, as its author would write them
            python(folder, "tests/golden.py", "--write")
        done = python(folder, *CORE, "tests/test_golden.py", check=False)  # a second, and mostly enough
        if done.returncode == 0:
            done = python(folder, *CORE, check=False)
    finally:
        for name, text in kept.items():
            (folder / name).write_text(text)
    found = re.search(r"^(?:FAILED|ERROR) (.+?)(?: - |$)", done.stdout, re.MULTILINE)
    if done.returncode not in (0, 1) or (done.returncode == 1) != bool(found):
        return f"status {done.returncode}: {done.stdout[-500:]}{done.stderr[-500:]}"
    return found and found[1]


def main():
    parts = sys.argv[1:] or [""]
    chosen = {name: edits for name, edits in {**CONTROLS, **MUTATIONS}.items() if any(part in name for part in parts)}
    for edits in chosen.values():  # a text that is gone is found before anything is built
        with tempfile.TemporaryDirectory() as folder:
            for name in {name for name, _, _ in edits}:
                (Path(folder) / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / name, Path(folder) / name)
            edited(Path(folder), edits)
    with tempfile.TemporaryDirectory(prefix="cheq-mutations-") as work, ThreadPoolExecutor(WORKERS) as pool:
        folders = SimpleQueue()
        for i in range(WORKERS):
            folders.put(copied(Path(work, str(i))))

        def tried(name):
            folder = folders.get()
            try:
                return name, first_failure(folder, chosen[name])
            finally:
                folders.put(folder)

        wrong = 0
        for name, failure in pool.map(tried, chosen):
            right = (failure is None) == (name in CONTROLS)
            wrong += not right
            said = "SURVIVED" if failure is None else failure
            print(
                f"{'    ' if right else '??? '}{name}: {'passes' if name in CONTROLS and right else said}", flush=True
            )
    print(f"{len(chosen) - wrong} as expected, {wrong} not")
    sys.exit(wrong > 0)


if __name__ == "__main__":
    main()
