"""One window of messages becomes memories: one file per stage, the story in run.py."""
