"""Every check has a name: ``nox -s core`` runs one, in its own environment; ``nox -l`` lists all, ``.ci/run`` runs all.

``-R`` uses the environment of the last run without installing again. What is not run because a tool is missing says so.
"""

import re
import shutil
import subprocess
from pathlib import Path

import nox

nox.options.default_venv_backend = "venv"
nox.options.sessions = ["core"]

# Kernels that this CPU runs and does not choose by itself.
OTHER_KERNELS = """
from cheq._core import dispatch
print(*(name for name, runs in dispatch.kernels().items() if runs and name != dispatch.kernel()))
"""


def tested(session, *arguments, **environment):
    """Run pytest in an environment with '.[test]'."""
    session.run("pytest", "-q", *arguments, *session.posargs, env=environment)


def readme(session, extra):
    """Run the README's command that installs an extra, as it is written."""
    found = re.search(rf"^pip install .*'\.\[{extra}\]' && .*$", Path("README.md").read_text(), re.MULTILINE)
    session.run("bash", "-ec", found[0], external=True)


@nox.session
def core(session):
    """Every formula, layout and contract once: seconds."""
    session.install("-e", ".[test]")
    tested(session, "-m", "core")


@nox.session
def full(session):
    """The README's test command, and what is exhaustive; of the kernels ``kernels`` runs that."""
    readme(session, "test")
    session.run("python", "-c", "import cheq")  # both ways, in the source folder too
    session.run("python", "-m", "pytest", "-q", "-m", "exhaustive and not long and not kernels")


@nox.session
def kernels(session):
    """Each kernel at every length, alignment and order; then what takes the chosen kernel, with the other ones."""
    session.install("-e", ".[test]")
    tested(session, "-m", "kernels and exhaustive and not long")
    others = session.run("python", "-c", OTHER_KERNELS, silent=True).split()
    for name in others:
        subjects = ("exhaustive", "long", "kernels", "cli", "process", "docs")
        tested(session, "-m", f"not ({' or '.join(subjects)})", CHEQ_KERNEL=name)


@nox.session
def demo(session):
    """The README's command that installs cheq and shows it at work on real pictures."""
    readme(session, "demo")
    if not Path("cheq-demo.png").stat().st_size:
        session.error("cheq demo left no picture")


@nox.session
def lint(session):
    """No warning of the C compiler in our own headers; ruff, mypy and clang-tidy have nothing to say."""
    project = nox.project.load_toml("pyproject.toml")
    extras = project["project"]["optional-dependencies"]
    needed = [
        *project["build-system"]["requires"],
        *project["project"]["dependencies"],
        *extras["cli"],
        *extras["plot"],
    ]
    session.install("ruff>=0.6", "mypy>=1.11", *needed)
    for command in ("ruff check .", "ruff format --check .", "mypy"):
        session.run(*command.split())

    command = f"python setup.py build_ext --force --build-lib {session.create_tmp()}/strict"
    log = session.run(*command.split(), env={"CFLAGS": "-Wall -Wextra"}, silent=True)
    if warned := re.findall(r"^cheq/_core/\S+\.h:\d+:\d+: warning.*", log, re.MULTILINE):
        session.error("\n".join(warned))
    if shutil.which("clang"):  # it has other frames, of which large ones are refused
        session.run(*f"{command}-clang".split(), env={"CC": "clang"}, silent=True)

    if "version 14." not in output_of("clang-tidy --version"):  # another one has other checks
        session.log("NOT RUN: clang-tidy, of which version 14 is not installed")
        return
    # Two programs that between them hold every header, for two processors; functions in headers are analyzed too.
    for source in ("tests/native/guards.c", "tools/portable.c"):
        flags = ["--", "-std=c11", "-Icheq/_core", "-Xclang", "-analyzer-opt-analyze-headers"]
        session.run("clang-tidy", "--quiet", source, *flags, silent=True, external=True)


@nox.session
def docs(session):
    """The site, warnings as errors, and every block of code on its pages."""
    session.install("-e", ".[test,docs]")
    session.run(*["sphinx-build", "-q", "-W", "--keep-going", "-b", "html", "docs", "build/docs"])
    tested(session, "-m", "docs")


@nox.session
def worlds(session):
    """With dask, zarr, xarray, albumentations and PyTorch installed: their modules, and the pages' code for them."""
    extras = nox.project.load_toml("pyproject.toml")["project"]["optional-dependencies"]
    others = [name for name in extras["worlds"] if not name.startswith("cheq")]
    # torchvision is left out: its builds need gigabytes, and its own release of torch.
    session.install("-e", ".[test,dask,xarray,torch]", *others)
    tested(session, "-m", "worlds and not long")


@nox.session
def dist(session):
    """The sdist, the wheel made from it, and that wheel under the core of the sdist's tests."""
    session.install("build")
    made = Path(session.create_tmp()).absolute()
    shutil.rmtree(made)
    session.run("python", "-m", "build", "--outdir", made, ".", silent=True)
    (sdist,) = made.glob("*.tar.gz")
    (wheel,) = made.glob("*.whl")
    session.install(f"cheq[test] @ {wheel.as_uri()}")
    shutil.unpack_archive(sdist, made, filter="data")
    session.chdir(made / sdist.name.removesuffix(".tar.gz"))
    tested(session, "-m", "core")


def needs_sanitizers(session):
    """Skip a session where clang or its runtime is not installed."""
    program = (
        "echo 'int main(void) { return 0; }' | clang -fsanitize=address,undefined -x c - -o /dev/null && echo works"
    )
    if "works" not in output_of(program):
        session.skip("NOT RUN: clang, or its runtime of sanitizers, is not installed")


@nox.session(venv_backend="none")
def sanitize(session):
    """Every kernel between guard pages, under AddressSanitizer and UndefinedBehaviorSanitizer."""
    needs_sanitizers(session)
    session.run("bash", "tools/sanitize.sh", "driver", *(session.posargs or ["128"]))


@nox.session
def fuzz(session):
    """Our own code, the same inputs each time; ``nox -s fuzz -- 600`` tries others, on the readers of files too."""
    needs_sanitizers(session)
    session.install("-e", ".[test]")
    session.install("--only-binary", ":all:", "atheris", success_codes=[0, 1])
    if "atheris" not in session.run("python", "-m", "pip", "list", silent=True):
        session.skip("NOT RUN: there is no atheris for this Python")
    # Other libraries' decoders of damaged files must not decide about a commit.
    own = ["40", "--seed", "1", "--only", "kernels", "--only", "jobs", "--only", "arrays"]
    session.run("python", "tools/fuzz.py", *(session.posargs or own))


@nox.session
def soak(session):
    """Threads, forks and spawned processes at random; ``nox -s soak -- --minutes 10``."""
    session.install("-e", ".[test]")
    session.run("python", "tools/soak.py", *(session.posargs or ["--minutes", "0.5"]))


@nox.session
def mutations(session):
    """Each formula broken once, in copies: the core fails each time; minutes, and not in .ci/run."""
    session.install("-e", ".[test]")
    session.run("python", "tools/mutate.py", *session.posargs)


def output_of(command):
    """What a shell's command prints, nothing where there is no such program."""
    return subprocess.run(["bash", "-c", command], capture_output=True, text=True).stdout
