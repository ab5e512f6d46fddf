"""cheq loads into one interpreter of a process, and says so in another; the first one goes on as before."""

import subprocess
import sys

import numpy as np
import pytest

pytestmark = pytest.mark.process

MESSAGE = (
    "cheq and NumPy load once a process, into one interpreter, which should be the main one; "
    "use threads or processes instead of subinterpreters"
)

# In the subinterpreter cheq is imported twice; what comes of it and what is left of it are written to a file.
PROGRAM = """
import sys
if sys.version_info >= (3, 13):
    import _interpreters as interpreters
    other = interpreters.create({kind!r})
else:
    import _xxsubinterpreters as interpreters
    other = interpreters.create(isolated={kind!r} == "isolated")

import {first}

interpreters.run_string(other, '''
import sys
with open({told!r}, "w") as file:
    for _ in range(2):
        try:
            import cheq
            file.write("imported")
        except ImportError as error:
            file.write(str(error))
        file.write(chr(10))
    file.write(" ".join(name for name in sys.modules if name.startswith("cheq") and name != "cheq._core"))
''')
interpreters.destroy(other)

import cheq, numpy as np
images = np.random.default_rng(0).integers(0, 2, (150, 96, 131), np.uint8)
assert (cheq.equalize(images, num_threads=2) == 255 * images).all()  # of two levels, whatever their counts
"""


def python(program):
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.skipif(
    np.lib.NumpyVersion(np.__version__) < "2.4.0", reason="NumPy before 2.4 only warns of subinterpreters"
)
@pytest.mark.parametrize("kind", ["isolated", "legacy"])
@pytest.mark.parametrize("first", ["cheq", "numpy"])
def test_a_second_interpreter_is_refused_clearly(tmp_path, first, kind):
    told = tmp_path / "told"
    done = python(PROGRAM.format(first=first, kind=kind, told=str(told)))
    if "No module named '_" in done.stderr:
        pytest.skip("this Python has no subinterpreters")
    assert (done.returncode, done.stderr) == (0, "")
    # Nothing half imported is left behind, at which a second try would get further.
    assert told.read_text().split("\n") == [MESSAGE, MESSAGE, ""]


@pytest.mark.parametrize("reason", ["no such file", "relaunch your python interpreter from there"])
@pytest.mark.parametrize("module", ["numpy", "cheq._core.work"])
def test_other_import_errors_stay_as_they_are(module, reason):
    program = f"""
import sys

class Broken:
    def find_spec(self, name, path=None, target=None):
        if name == {module!r}:
            raise ImportError({reason!r})

sys.meta_path.insert(0, Broken())
import cheq
"""
    done = python(program)
    assert done.stderr.splitlines()[-1] == f"ImportError: {reason}"
