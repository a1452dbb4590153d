"""``python -m mtbench`` is ``mtbench``."""

from mtbench.cli.app import main

if __name__ == "__main__":
    main()
