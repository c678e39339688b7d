"""Data and rules: what a resource, an execution, a model or a credential is; no input or output."""
