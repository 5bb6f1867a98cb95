"""Which labels look wrong, by out-of-fold predictions, duplicates and geometry. No row is dropped."""
