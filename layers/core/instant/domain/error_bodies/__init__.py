"""What error bodies consist of besides code and message: types, field names, and errors stored earlier."""
