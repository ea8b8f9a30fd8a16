"""Batch transform: records, filters, requests, and the server that is asked."""
