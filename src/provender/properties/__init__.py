"""Properties: what a wholesaler wants to note on products, customers, orders and invoices, beyond what they have.

A dropdown's chosen option is carried by each line of an order or invoice (`queries.choose_for_lines`). Which tracking
category in Xero such an option is, is `sync`'s.
"""
