"""What the tests of the command line share: running it, and making and listing files."""

import numpy as np
from PIL import Image
from typer.testing import CliRunner

from cheq.cli.app import app


def run(*arguments):
    """Run a command in this process; the result has exit_code, stdout and stderr."""
    return CliRunner().invoke(app, [str(argument) for argument in arguments], catch_exceptions=False)


def pixels(*shape, seed=0):
    """Pixels that equalization changes."""
    return np.random.default_rng(seed).integers(40, 160, shape, np.uint8)


def save(path, array, **options):
    """Write an array as the file's extension says, in a folder that is made if need be; returns the array."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".npy":
        np.save(path, array)
    else:
        Image.fromarray(array).save(path, **options)
    return array


def load(path):
    """The pixels of a picture or array file."""
    if path.suffix == ".npy":
        return np.load(path)
    with Image.open(path) as image:
        return np.array(image)


def tree(folder):
    """Every file below a folder, as sorted relative paths."""
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir())
