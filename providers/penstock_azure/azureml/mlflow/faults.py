"""What the server refuses, in the form that MLflow's clients turn into their own exceptions."""

from __future__ import annotations

_STATUS = {
    "BAD_REQUEST": 400,
    "INVALID_PARAMETER_VALUE": 400,
    "RESOURCE_ALREADY_EXISTS": 400,
    "UNAUTHENTICATED": 401,
    "PERMISSION_DENIED": 403,
    "ENDPOINT_NOT_FOUND": 404,
    "RESOURCE_DOES_NOT_EXIST": 404,
    "INVALID_STATE": 500,
    "INTERNAL_ERROR": 500,
    "NOT_IMPLEMENTED": 501,
    "TEMPORARILY_UNAVAILABLE": 503,
}


class MlflowFault(Exception):
    """Raised for a call that cannot be answered as asked.

    Args:
        code: one of MLflow's error codes.
        message: for the user of the client.
        status: of the HTTP answer, where it is not the one that MLflow gives to the code. Clients repeat calls that
            ended with 408, 429, 500, 502, 503 or 504 for minutes.
    """

    def __init__(self, code: str, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status or _STATUS[code]


def invalid(message: str) -> MlflowFault:
    """Say that a value cannot be taken."""
    return MlflowFault("INVALID_PARAMETER_VALUE", message)


def absent(message: str) -> MlflowFault:
    """Say that what is asked for is not there."""
    return MlflowFault("RESOURCE_DOES_NOT_EXIST", message)


def taken(message: str) -> MlflowFault:
    """Say that what is to be made is there already."""
    return MlflowFault("RESOURCE_ALREADY_EXISTS", message)
