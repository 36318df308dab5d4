"""Run the command line with `python -m opsbot`."""

import sys

from opsbot.cli.main import main

sys.exit(main())
