"""Compute every figure of a run. The package report/ shows them."""
