"""How good forecasts were: scores, baselines, reliability."""
