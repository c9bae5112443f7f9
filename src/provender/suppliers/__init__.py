"""The wholesaler as tenant: name, country, currency, time zone, tax rate, prefixes and the numbers it has given out.

Every row of a business table belongs to one supplier, and every query starts from one. People and their roles are in
`people`; the connection to Xero is in `sync`.
"""
