"""Opens the shell's door where there is no `sonde` on the path.

See it:  python -m sonde --help
"""

from sonde.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
