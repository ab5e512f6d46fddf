"""The compiled extensions: common flags, the OpenMP probe, the limited API. Metadata is in pyproject.toml.

No instruction set is chosen here: kernels carry function target attributes and are picked at run time.
CHEQ_OPENMP=0 builds for one thread; CHEQ_OPENMP=1 fails where the compiler has no OpenMP.
CHEQ_TRACE=1 builds for coverage.py (tools/coverage.sh): every line of Cython is reported; without the limited API.
"""

import os
import sys
import sysconfig
import tempfile
from pathlib import Path

from Cython.Build import cythonize
from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext
from setuptools.errors import CompileError, LinkError

TRACED = os.environ.get("CHEQ_TRACE") == "1"
FREE_THREADED = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))

# One wheel serves CPython 3.11 and later. The free-threaded builds have no limited API: each release has its own wheel.
LIMITED_API = {"define_macros": [("Py_LIMITED_API", "0x030B0000")], "py_limited_api": True}
TRACING = {"define_macros": [("CYTHON_TRACE_NOGIL", "1")]}
WHEEL = {"bdist_wheel": {"py_limited_api": "cp311"}}

CORE = "cheq/_core"

PROGRAM = "int main(void) { return 0; }"
OPENMP_PROGRAM = """
#include <omp.h>
int main(void) { return omp_get_max_threads() < 1; }
"""

# (compiler flags, linker flags), tried in turn; none of them working builds for one thread.
OPENMP_FLAGS = {
    "msvc": [(["/openmp"], [])],
    "unix": [(["-fopenmp"], ["-fopenmp"]), (["-Xpreprocessor", "-fopenmp"], ["-lomp"])],
}

# Contraction would round a product and a sum once instead of twice: other bytes. Loops begin a cache line: a short one
# across two takes up to a sixth longer (a masked count, portable kernels), and any change elsewhere moves it there.
FLAGS = {
    "msvc": ["/O2", "/std:c11", "/fp:precise"],
    "unix": ["-O3", "-std=c11", "-ffp-contract=off", "-falign-loops=64", "-Wframe-larger-than=4096"],
}
# GCC would leave the upper halves of vector registers in use where a function ends by calling one it knows, and what
# comes next without AVX, of any library, would take up to two thirds longer. clang has neither the fault nor the flag.
GCC_FLAGS = ["-fno-ipa-ra"]

# Large frames are refused (base.h), but not in builds for tools, whose frames hold more.
SANITIZED = any("-fsanitize" in os.environ.get(name, "") for name in ("CC", "CFLAGS"))
REFUSAL = [] if TRACED or SANITIZED else [("CHEQ_REFUSE_LARGE_FRAMES", "1")]


class build_ext_with_openmp(build_ext):
    def build_extensions(self):
        kind = self.compiler.compiler_type if self.compiler.compiler_type == "msvc" else "unix"
        compile_flags, link_flags = self.openmp_flags(OPENMP_FLAGS[kind])
        if kind == "unix" and self.links(PROGRAM, GCC_FLAGS, []):
            compile_flags = compile_flags + GCC_FLAGS
        for extension in self.extensions:
            extension.extra_compile_args += FLAGS[kind] + compile_flags
            extension.extra_link_args += link_flags
            extension.define_macros = extension.define_macros + REFUSAL
        super().build_extensions()

    def openmp_flags(self, candidates):
        """Return the first flags with which an OpenMP program links, none where CHEQ_OPENMP is 0."""
        wanted = os.environ.get("CHEQ_OPENMP", "")
        if wanted not in ("", "0", "1"):
            sys.exit(f"cheq: CHEQ_OPENMP is 0 (without OpenMP), 1 (not without it) or not set; it is {wanted!r}")
        if wanted == "0":
            return [], []
        for compile_flags, link_flags in candidates:
            if self.links(OPENMP_PROGRAM, compile_flags, link_flags):
                return compile_flags, link_flags
        if wanted == "1":
            sys.exit("cheq: CHEQ_OPENMP is 1, but no program with OpenMP could be built by this compiler")
        print("cheq: the compiler has no OpenMP; building for one thread", file=sys.stderr)
        return [], []

    def links(self, program, compile_flags, link_flags):
        with tempfile.TemporaryDirectory() as folder:
            source = Path(folder, "probe.c")
            source.write_text(program)
            try:
                objects = self.compiler.compile([str(source)], output_dir=folder, extra_postargs=compile_flags)
                self.compiler.link_executable(objects, str(Path(folder, "probe")), extra_postargs=link_flags)
            except (CompileError, LinkError):
                return False
        return True


extensions = [
    Extension(
        f"cheq._core.{name}",
        [f"{CORE}/{name}.pyx"],
        include_dirs=[CORE],
        depends=[str(path) for path in sorted(Path(CORE).rglob("*.h"))],
        **(TRACING if TRACED else {} if FREE_THREADED else LIMITED_API),
    )
    for name in ("dispatch", "work", "integer", "floating", "color", "tiles", "matching")
]

setup(
    ext_modules=cythonize(
        extensions,
        build_dir=None if TRACED else "build/cython",  # coverage.py wants the C beside the Cython
        compiler_directives={
            "language_level": 3,
            "boundscheck": False,
            "wraparound": False,
            "cdivision": True,
            "initializedcheck": False,
            "freethreading_compatible": FREE_THREADED,
            "linetrace": TRACED,
        },
    ),
    cmdclass={"build_ext": build_ext_with_openmp},
    options={} if FREE_THREADED or TRACED else WHEEL,
)
