"""`python -m tests.faults.cli VERB …` is the command line with the tiny recipes, in its workers too: they import this.

EPOCHS in the environment: how long each recipe trains, 3 if it is not there.
"""

import os
import sys
from dataclasses import replace

import pytest

from solution.__main__ import main
from tests import tiny_recipes

EPOCHS = int(os.environ.get("EPOCHS", "3"))

tiny_recipes.stand_in(pytest.MonkeyPatch(), [replace(recipe, epochs=EPOCHS) for recipe in tiny_recipes.ALL])

if __name__ == "__main__":
    sys.exit(main())
