"""`python -m framelane` is `framelane`."""

from framelane.cli import main

if __name__ == "__main__":
    main()
