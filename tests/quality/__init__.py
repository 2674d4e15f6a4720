"""`python -m tests.quality`: measures how good memories are, through the running service, without a model."""
