"""Who did what, when and why; read on every detail screen. What the sync did is in the same story."""
