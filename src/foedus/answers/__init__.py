"""What the weighed runs say: forecasts, explanations and what these depend on."""
