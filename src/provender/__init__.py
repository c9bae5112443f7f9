"""Provender: an order desk for food and drink wholesalers, kept in step with Xero.

Each folder here is a room, named as a user would call it; a room may import rooms below it, never above. The floors,
and what lives on each, are in docs/house.md; `import-linter` holds them (see `pyproject.toml`).
"""
