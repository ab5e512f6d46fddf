"""cheq runs in one interpreter of a process, and says so in another; the first one goes on as before."""

import subprocess
import sys
import textwrap

import pytest

# The module's name in CPython 3.11 and 3.12, and since 3.13.
MODULES = ("_xxsubinterpreters", "_interpreters")

# In the subinterpreter cheq is imported, and what comes of it is written to a file.
PROGRAM = """
import importlib, sys
import cheq, numpy as np

images = np.random.default_rng(0).integers(0, 200, (150, 96, 131), np.uint8)
before = cheq.equalize(images, num_threads=2)

interpreters = importlib.import_module({module!r})
each = interpreters.create()
interpreters.run_string(each, '''
import os
try:
    import cheq
    told = "imported"
except ImportError as error:
    told = str(error)
with open({told!r}, "w") as file:
    file.write(told)
''')
interpreters.destroy(each)

assert cheq.equalize(images, num_threads=2).tobytes() == before.tobytes()
"""


def python(program):
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def module():
    """The name of the module of subinterpreters."""
    for name in MODULES:
        if subprocess.run([sys.executable, "-c", f"import {name}"], capture_output=True).returncode == 0:
            return name
    pytest.skip(f"this Python has none of {', '.join(MODULES)}")


def test_a_second_interpreter_is_refused_clearly(tmp_path, module):
    told = tmp_path / "told"
    python(PROGRAM.format(module=module, told=str(told)))
    assert told.read_text() == (
        "cheq runs in one interpreter of a process, as NumPy does: the main one, or else the first that imports it. "
        "This is another one; use threads or processes instead of subinterpreters."
    )


def test_other_import_errors_stay_as_they_are():
    program = """
        import sys
        sys.modules["cheq._core.work"] = None
        try:
            import cheq
        except ImportError as error:
            print(error)
    """
    assert "cheq._core.work" in python(textwrap.dedent(program))
    assert "interpreter" not in python(textwrap.dedent(program))
