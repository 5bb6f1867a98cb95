"""Where faces come from: competition files, the download, drawn faces."""
