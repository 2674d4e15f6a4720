"""Kills, pauses and cuts off the parts of a real running service and checks that it kept its promises."""
