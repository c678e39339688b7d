"""What every edge shares: how requests come in, how answers and errors go out, how it is logged."""
