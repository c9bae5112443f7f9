"""Venues that buy: names, tax number, address, payment terms, price list and freight group.

A customer's contact in Xero is `sync`'s; nothing here knows it.
"""
