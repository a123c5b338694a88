"""What to believe: runs weighed by evidence, forecasts and their scores."""

from foedus.judgement.forecast import forecast, judge
from foedus.judgement.results import Answer, Evidence, Explanation, Fan, Forecast
from foedus.judgement.score import Score, Scores, score

__all__ = [
    "Answer",
    "Evidence",
    "Explanation",
    "Fan",
    "Forecast",
    "Score",
    "Scores",
    "forecast",
    "judge",
    "score",
]
