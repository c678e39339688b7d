"""The model catalog: models, their changes, a sync's plan, and prices."""
