"""What Flask serves beside the accounting API: OAuth, the controls, and the bookkeeper's page."""
