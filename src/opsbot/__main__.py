"""Run the command line, as `opsbot` or as `python -m opsbot`."""

import gc
import sys


def main() -> int:
    """Run a command and return its exit status.

    What is imported stays for good, so the collector need not look for garbage in it: neither while
    it grows (a sixth of the time to start) nor later.
    """
    gc.disable()
    from opsbot.cli.main import main as run  # noqa: PLC0415  (after the collector is held)

    gc.freeze()
    gc.enable()
    return run()


if __name__ == "__main__":
    sys.exit(main())
