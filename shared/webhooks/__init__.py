"""Webhooks on the wire: where one may go, how it is signed, when it is tried again, how it is sent."""
