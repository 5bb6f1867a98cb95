"""Which labels are wrong, told from out-of-fold predictions, duplicates and geometry. It only tells: nothing is
dropped.
"""
