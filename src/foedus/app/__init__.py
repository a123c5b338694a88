"""The page: `foedus serve`. It shows what the other stages compute; no science in here."""
