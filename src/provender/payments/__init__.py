"""Payments received and paid back, credits set against invoices, and payouts of payment providers.

What an invoice has still to be paid and what a credit note has left are weighed here from the rows, in the transaction
that adds or removes one. What became of them in Xero is `sync`'s.
"""
