"""The refusals that several operations share, with the service's codes.

What is not there is a ResourceNotFound for newer resources and a ValidationException for older ones: clients match on
both, so that each operation says which it is.
"""

from __future__ import annotations

from penstock_aws.endpoint.faults import ServiceFault


def invalid(message: str) -> ServiceFault:
    """Say that a request cannot be taken as it is."""
    return ServiceFault("ValidationException", message)


def missing(message: str) -> ServiceFault:
    """Say that something named does not exist."""
    return ServiceFault("ResourceNotFound", message)


def conflict(message: str) -> ServiceFault:
    """Say that something is in a state, or in use, which forbids the change."""
    return ServiceFault("ConflictException", message)


def in_use(message: str) -> ServiceFault:
    """Say that a job's name is taken."""
    return ServiceFault("ResourceInUse", message)
