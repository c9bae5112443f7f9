"""Orders from draft to delivered. Placing one reads top to bottom in `actions.place_order`: it raises the invoice."""
