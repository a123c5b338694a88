"""How people see a forecast: words, charts and the brief. No science in here."""
