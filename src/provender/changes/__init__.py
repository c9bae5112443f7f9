"""The outbox: "this document changed, and somebody outside must hear of it".

Knows no business and no Xero. `post` is called inside the transaction that changes a document; whoever tells the
outside (`sync`) reads what is due and settles each revision. Ten quick edits are one row.
"""
