"""A stand-in Xero server: OAuth, the accounting API and a page to play the bookkeeper. Imports nothing of `provender`."""
