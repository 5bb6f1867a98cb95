"""What came out: figures, what explains them, and two runs compared; as files, a page, on the terminal and as JSON."""
