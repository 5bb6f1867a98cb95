"""The systems this project grew from, side by side with it: each earlier method on the same rows, by the same clock.

`python -m solution compare` trains them and our own networks for the same time on the same split, and writes one table
and one picture. An earlier system is one file in systems/, found by file name. Nothing here is part of a submission.
"""
