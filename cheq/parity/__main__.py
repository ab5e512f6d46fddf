"""``python -m cheq.parity`` is the command ``cheq parity``."""

from cheq.cli import main

if __name__ == "__main__":
    main("parity")
