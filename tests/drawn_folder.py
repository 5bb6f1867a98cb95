"""`python -m tests.drawn_folder` draws a small data set into a temporary folder and prints the folder's path."""

import tempfile
from pathlib import Path

from solution.data.synthetic.settings import DrawnSettings
from solution.data.synthetic.write import write_drawn

SETTINGS = DrawnSettings(train15=150, train4=250, test15=30, test4=50)
NAME = "drawn-small"


def main() -> None:
    """Draw, and print the path alone, for a shell to read."""
    folder = Path(tempfile.mkdtemp()) / NAME
    write_drawn(folder, SETTINGS)
    print(folder)


if __name__ == "__main__":
    main()
