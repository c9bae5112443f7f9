"""Tax invoices: numbering, totals, versions. An issued invoice keeps each version as it was.

An invoice doesn't know orders, it carries their numbers. Raising, revising and voiding one posts to `changes` in the
same transaction; what became of it in Xero is `sync`'s.
"""
