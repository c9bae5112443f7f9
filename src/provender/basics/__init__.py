"""Ground floor: money, clock, identifiers and errors.

Here lives what every room needs and no user would name. Standard library only, plus the model fields for money.
Nothing here knows a supplier, a document or Xero.
"""
