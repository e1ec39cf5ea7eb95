"""`python -m placet.faces.cli` is `placet`."""

import sys

from placet.faces.cli.app import main

sys.exit(main())
