"""``python -m cheq.parity`` is the command ``cheq parity``."""

import sys

from cheq.cli import without

if __name__ == "__main__":
    try:
        from cheq.cli.app import alone
        from cheq.cli.commands.parity import parity
    except ImportError as error:
        sys.exit(f"cheq: {without(error, 'the command line', 'cli')}")
    alone(parity, "python -m cheq.parity")
