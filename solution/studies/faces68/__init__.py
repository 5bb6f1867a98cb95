"""The 68-point network: trained on folds of persons, scored, released as weights."""
