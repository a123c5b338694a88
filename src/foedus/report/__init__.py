"""The presentation of results: words, charts and the brief. No science in here."""
