"""A small serverless application that tests the local stack: its template and its functions."""
