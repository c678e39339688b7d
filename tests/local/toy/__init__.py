"""A small serverless application for tests of the local stack: its template and its functions."""
