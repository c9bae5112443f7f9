"""One module per resource of the API: what it shows, what it accepts, and its rules."""
