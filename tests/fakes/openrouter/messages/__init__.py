"""What messages carry from turn to turn: reasoning details, and tool calls with their results."""
