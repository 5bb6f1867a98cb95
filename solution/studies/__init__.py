"""Experiments beside the pipeline: nothing here is part of a submission."""
