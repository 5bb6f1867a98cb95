"""Baselines: the earlier systems of this project, trained on the same rows for the same time as our networks.

`python -m solution compare` trains them and writes one table and one picture. A system is one file in systems/, found
by its file name. Nothing here is part of a submission.
"""
