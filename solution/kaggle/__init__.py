"""Kaggle, there and back: the files fetched, a submission sent, its score waited for and kept in a ledger.

Kaggle's official client does the talking, always as a process of its own: the `kaggle` package logs in while it is
imported and may end the process that imports it.
"""

from solution.data.archive import OUTER

COMPETITION = OUTER.removesuffix(".zip")
PAGE = f"https://www.kaggle.com/c/{COMPETITION}"
