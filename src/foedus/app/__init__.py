"""The page of `foedus serve`. It shows what the other packages compute; no science in here."""
