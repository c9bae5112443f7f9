"""Files in: invoices from a CSV or XLSX file, read whole and checked before anything is in.

`reading` turns a file into rows, `mapping` says which column is which and reads the cells, `judging` decides what
becomes of each document; `actions` are stage (into staging tables), apply (into the books) and discard. Each line of
the file ends in a named state: imported, unchanged or rejected. The invoices themselves are `invoicing`'s.
"""
