"""P450 to P459: sending a bundle to a service, and following what becomes of it."""

from __future__ import annotations

from penstock.codes.code import Code, entry

CODES: tuple[Code, ...] = (
    entry(
        "P450",
        "nothing can be sent to this target",
        """
        The profile's target runs on this machine alone, or this version of Penstock does not send to it yet.
        `penstock run` runs the pipeline here; `penstock compile` writes what the service's own tools take.
        """,
    ),
    entry(
        "P451",
        "a client library is missing",
        """
        Sending takes the official client library of the service, and Penstock does not install it unasked.
        The hint has the command. Checking, compiling and running offline do without it.
        """,
    ),
    entry(
        "P452",
        "there are no credentials",
        """
        The official client found no credentials where it looks for them by default: variables, its own files, a
        login session, the machine's role. Penstock reads none from penstock.yaml, and keeps none.
        Log in as your cloud's own command line does, or name the profile of its files in its variable.
        """,
    ),
    entry(
        "P453",
        "the credentials have expired, or are no longer good",
        """
        A session's credentials ran out, were revoked, or the machine's clock is wrong.
        What was uploaded stays uploaded, and what runs at the service goes on.
        Log in again, and `penstock resume RUN` takes up sending or following where it ended.
        """,
    ),
    entry(
        "P454",
        "the service does not allow this",
        """
        The credentials are good, and may not do what the message names: a permission is missing, or a policy
        of the organisation, the bucket or a key forbids it.
        Ask whoever keeps the account for that permission, or use a profile with another role or bucket.
        """,
    ),
    entry(
        "P455",
        "what the profile or the run names is not there",
        """
        The bucket, role, pipeline or execution does not exist in that account and region; or it did when the run
        was sent, and was deleted since.
        Compare the profile in penstock.yaml with the account; buckets are not created unasked.
        """,
    ),
    entry(
        "P456",
        "the service has had enough for now",
        """
        Calls were still refused as too many after several tries with growing pauses, or a quota of the account
        is used up: pipelines, machines of a type, jobs at once.
        `penstock resume RUN` goes on later. For a quota, free something, ask for more, or name other machines.
        """,
    ),
    entry(
        "P457",
        "the service cannot be reached",
        """
        There is no network, no route or no name for the service's address, a proxy is in the way, or the region
        has no such service. An address set by hand, for a loopback endpoint, may have nobody behind it.
        `penstock resume RUN` goes on once it can be reached.
        """,
    ),
    entry(
        "P458",
        "the service refuses what it was sent",
        """
        The service found fault with the call; the message has its own words. What can be checked without an
        account was checked before, so that the reason lies in the account: a role that may not be passed on, an
        image or machine that the region does not have, a name that is taken.
        """,
    ),
    entry(
        "P459",
        "what is to be sent cannot be sent as it was compiled",
        """
        A file that belongs to the bundle is gone or has changed since it was compiled, or a placeholder in it
        has no value that a profile could give. A document would then name content that it does not have.
        Compile it again, or submit the spec itself.
        """,
    ),
)
