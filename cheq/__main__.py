"""``python -m cheq`` is the command ``cheq``."""

from cheq.cli import main

if __name__ == "__main__":
    main()
