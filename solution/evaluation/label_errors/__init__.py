"""Which labels are wrong, told from out-of-fold predictions, twins and geometry. It only tells: nothing is dropped."""
