"""Ground floor: money, texts, clock, identifiers and errors.

Here lives what every room needs and no user would name. Of Django it uses the database, and no room of ours.
Nothing here knows a supplier, a document or Xero.
"""
