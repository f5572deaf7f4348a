"""``python -m fitlab``."""

from fitlab.cli import main

main()
