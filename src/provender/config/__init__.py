"""Roof: settings, URLs and the one place that wires rooms together. Knows every room; no room knows it."""
