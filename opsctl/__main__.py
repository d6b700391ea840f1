"""`python -m opsctl`."""

from opsctl.cli.root import main

main()
