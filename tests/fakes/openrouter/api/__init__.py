"""The routes of the double beside chat."""
