"""A recipe trained and cross-validated: out-of-fold and test predictions of one specialist."""
