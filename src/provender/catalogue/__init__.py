"""Products, categories and price lists: what is sold, and for how much.

A product's price for a customer is found by `queries.price_for`. Where an item code or account is in Xero is `sync`'s.
"""
