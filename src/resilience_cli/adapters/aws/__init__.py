"""AWS, one module a service: the only place that knows the SDK."""
