"""The report: figures, their explanation, and a comparison of two runs, as files, page, terminal output and JSON."""
