"""The verbs: what the system does, told in terms of ports; start at execute_resource.py."""
