"""`python -m ingle` is the `ingle` command."""

from ingle.cli import main

main()
