"""The calls of the service, by noun, each written once as a flow."""
