"""Kaggle: download the files, send a submission, wait for its score and keep it in a ledger.

Kaggle's official client is always run as a separate process: the `kaggle` package logs in while it is imported, and may
end the process that imports it.
"""

from solution.data.archive import OUTER

COMPETITION = OUTER.removesuffix(".zip")
PAGE = f"https://www.kaggle.com/c/{COMPETITION}"
