"""The wholesaler's staff screens: HTML pages that read queries and call actions of the rooms below.

`frame.py` is what stands around every page and who may open it, `lists.py` is every list page, `forms.py` how a field
looks. No rule of the business lives here: a screen checks what was typed and says what happened.
"""
