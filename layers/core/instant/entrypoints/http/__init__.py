"""HTTP: the app, throttles, errors, paging, conditional requests and bodies."""
