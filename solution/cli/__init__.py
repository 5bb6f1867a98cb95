"""The command line's verbs by family, in the order of `--help`: one file a family.

A family's file has `VERBS`: what each verb says of itself, its options, and what it runs, which returns an exit code
or None for 0. What computes is imported when a verb runs: `--help` waits for nobody's torch.
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
"""Each verb's file."""

ORDER = tuple(FAMILY)

EARLIER_NAMES = {"trial": "ablate"}
"""Commands of earlier versions, by today's names: they stay usable."""
