"""Which labels may be wrong, judged by out-of-fold predictions, duplicates and geometry. No row is dropped."""
