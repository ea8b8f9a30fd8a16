"""Neutral machinery for running a pipeline offline; it knows no cloud and needs neither pydantic nor yaml."""
