"""Facial keypoints: specialists cross-validated in folds, stacked into one submission."""

__version__ = "0.1.0"
