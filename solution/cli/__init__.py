"""The commands of the command line, one file for each family.

Each file has COMMANDS, a dictionary of `Command`. A command imports its libraries only when it runs, so that `--help`
does not wait for torch.
"""

FAMILY = {
    "run": "stages",
    "data": "stages",
    "folds": "stages",
    "train": "stages",
    "stack": "stages",
    "submission": "stages",
    "report": "stages",
    "audit": "stages",
    "export": "export",
    "extract": "export",
    "holdout": "export",
    "ablate": "studies",
    "compare": "studies",
    "bench": "studies",
    "submit": "kaggle",
    "scores": "kaggle",
    "download": "kaggle",
    "photo": "photo",
    "video": "photo",
    "faces68": "photo",
    "evaluate": "photo",
    "completion": "completion",
}
"""The file of each command, in the order of `--help`."""

EARLIER_NAMES = {"trial": "ablate"}
"""Names of commands in earlier versions, which still work, and their present names."""
