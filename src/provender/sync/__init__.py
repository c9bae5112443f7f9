"""Keeps Xero in step with our rows: what has changed, what was sent, what came back, what is wrong.

The only room that uses the Xero client. The write protocol (docs/why/exactly-once.md) is in `drain`, `dispatching` and
`recovery`; connecting in `connecting` and `tokens`; what screens read in `queries` and `standing`, what they do in
`actions`, `tracking_actions` and `contact_actions`. `verify` compares the books by a way of its own and shares no code
with the sender.
"""
