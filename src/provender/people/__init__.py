"""Users, their roles at a supplier, and the one-time links that let somebody in for the first time.

What a role may do is one table here (`roles.py`); screens ask `may`. Login itself is django-allauth's.
"""
