"""Any picture or video: faces found, framed as the training pictures are, points read, drawn and written."""
