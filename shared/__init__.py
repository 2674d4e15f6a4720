"""What the API and the workers both stand on; imports neither of them."""
