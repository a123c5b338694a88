"""What the weighed runs say: forecasts, explanations and what they hang on."""
