"""Products, categories and price lists: what is sold, and for how much.

What a product costs a customer, and why, is `customers.prices`. Where an item code or account is in Xero is `sync`'s.
"""
