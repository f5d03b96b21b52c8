"""`python short_init.py -m ingle serve`: Ingle with a limit of initialisation that tests need not wait for."""

import sys

import ingle.worker.host
from ingle.cli import main

ingle.worker.host.INIT_LIMIT = 0.5

if __name__ == "__main__":
    sys.argv = ["ingle", *sys.argv[3:]]
    main()
