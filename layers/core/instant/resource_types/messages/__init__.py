"""The messages of a conversation: their form, their order, and the content that is sent to the model."""
