"""The command line.

Nothing beyond the standard library is imported here, so that a plain ``pip install cheq`` can say what is missing.
"""

import signal
import sys
from typing import Any

__all__ = ["main", "without"]


def main(*command: str) -> None:
    """Run ``cheq``, or one of its commands, on the arguments in ``sys.argv`` and leave with its exit status."""
    signal.signal(signal.SIGTERM, _end)
    # Where there is a terminal to lose, and not where nohup has it ignored.
    if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) is signal.SIG_DFL:
        signal.signal(signal.SIGHUP, _end)
    try:
        from cheq.cli.app import app

        app(args=[*command, *sys.argv[1:]], prog_name="cheq" if command else None)
    except ImportError as error:
        sys.exit(f"cheq: {without(error, 'the command line', 'cli')}")
    except KeyboardInterrupt:
        sys.exit(_deaf(128 + signal.SIGINT))
    except SystemExit as leaving:
        sys.exit(_deaf(leaving.code))


def _deaf(status: object) -> Any:
    """Have no further Ctrl-C heard once one is the reason to leave: Python would print where it was as threads end."""
    if status == 128 + signal.SIGINT:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    return status


def _end(number: int, frame: object) -> None:
    """Leave as after Ctrl-C, so that no temporary file stays."""
    sys.exit(128 + number)


def without(error: ImportError, part: str, extra: str) -> str:
    """One line that says what `part` of cheq lacks, and which extra brings it.

    Parameters
    ----------
    error : ImportError
        What importing the part raised. An error of cheq's own modules is a fault of cheq and is raised again.
    part : str
        The part's name in a sentence.
    extra : str
        The extra that installs what the part needs.
    """
    package = (error.name or "").partition(".")[0]
    if package == "cheq":
        raise error
    if isinstance(error, ModuleNotFoundError):
        problem = "is not installed"
    else:
        problem = f"does not load ({' '.join(str(error).split())})"
    return f"{part} needs {package or 'a package'}, which {problem}; to get it: pip install 'cheq[{extra}]'"
