"""Broadstreet: the smart-city platform that begins with the network."""
