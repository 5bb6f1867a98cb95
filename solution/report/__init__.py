"""What came out: figures per fold and per keypoint as tables, the headline, and both as files and on the terminal."""
