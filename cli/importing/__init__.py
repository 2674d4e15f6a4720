"""`flumes import`: files of logs, read as a stream, sent in pieces, followed to their end."""
