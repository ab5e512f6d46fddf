"""Rewrite an sdist to the same bytes for the same files: sorted, without owners, all of the time SOURCE_DATE_EPOCH.

Usage: SOURCE_DATE_EPOCH=... python tools/plain_sdist.py FILE.tar.gz
"""

import gzip
import os
import sys
import tarfile
from pathlib import Path


def plain(member, moment):
    """Without an owner; to be read by all, and run if it was."""
    member.uid, member.gid, member.uname, member.gname, member.mtime = 0, 0, "", "", moment
    member.mode = 0o755 if member.isdir() or member.mode & 0o100 else 0o644
    member.pax_headers = {}  # fractions of seconds
    return member


def rewrite(path, moment):
    """Replace the archive."""
    with tarfile.open(path) as archive:
        files = [(member, archive.extractfile(member)) for member in archive]
        with (
            open(path.with_suffix(".new"), "wb") as file,
            gzip.GzipFile("", "wb", fileobj=file, mtime=moment) as packed,
            tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as target,
        ):
            for member, content in sorted(files, key=lambda pair: pair[0].name):
                target.addfile(plain(member, moment), content)
    path.with_suffix(".new").replace(path)


if __name__ == "__main__":
    rewrite(Path(sys.argv[1]), int(os.environ["SOURCE_DATE_EPOCH"]))
