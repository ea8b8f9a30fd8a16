"""Submitting to SageMaker, as core asks for it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from penstock.bundle import Bundle
from penstock.provider import Change, Profile
from penstock.runtime.hashing import StatIndex
from penstock.runtime.offline import OfflineRun, Request
from penstock_aws.client import Clients
from penstock_aws.submission.contents import Content, contents
from penstock_aws.submission.filling import filled
from penstock_aws.submission.sending import changes, put_pipeline, sized, start, start_parameters
from penstock_aws.submission.standing import missing, pipeline
from penstock_aws.submission.upload import Upload


class SageMakerSubmitter:
    """Sends bundles of the target `sagemaker`, and definitions that Penstock did not write."""

    def plan(self, bundle: Bundle, profile: Profile, request: Request, index: StatIndex) -> Sequence[Change]:
        """Tell what a submit would change."""
        whole = filled(bundle, profile)
        objects, addresses = contents(whole, request.datasets, index)
        given = start_parameters(whole, request.parameters, addresses)
        with Clients(profile.settings["region"]) as clients:
            return changes(whole, objects, missing(clients, objects), pipeline(clients, whole), given)

    def send(self, bundle: Bundle, profile: Profile, run: OfflineRun) -> None:
        """Upload what is missing, put the pipeline in its place, and start it."""
        remote = run.record.remote
        if remote.get("started"):
            return
        whole = filled(bundle, profile)
        objects, addresses = contents(whole, run.request.datasets, run.index)
        given = start_parameters(whole, run.request.parameters, addresses)
        with Clients(profile.settings["region"]) as clients:
            if not _uploaded(clients, run, objects):
                return
            arn, done = put_pipeline(clients, whole)
            run.notice(f"pipeline {whole.name}: {done}")
            if run.stop.is_set():
                return
            execution = start(clients, whole, given, remote["token"])
        known = {"pipeline": arn, "execution": execution, "name": whole.name, "sent": given}
        shown = {"execution": execution}
        run.describe({**run.record.details, "remote": {**remote, **known, "shown": shown, "started": True}})

    def follow(self, bundle: Bundle, profile: Profile, run: OfflineRun, stops: Callable[[], bool]) -> None:
        """Show and record what becomes of the execution, and fetch its results."""
        from penstock_aws.submission.follow import Following

        with Clients(profile.settings["region"]) as clients:
            Following(filled(bundle, profile), clients, run, stops).to_its_end()


def _uploaded(clients: Clients, run: OfflineRun, objects: list[Content]) -> bool:
    left = missing(clients, objects)
    there = len(objects) - len(left)
    if left:
        size = sized(sum(each.size for each in left))
        run.notice(f"uploading {len(left)} of {len(objects)} objects, {size}")
    elif there:
        run.notice(f"all {there} objects are in the bucket already")
    arrived: list[Content] = []

    def done(content: Content) -> None:
        arrived.append(content)
        if content.size > 32 << 20:
            run.notice(f"uploaded {content.address}, {len(arrived)} of {len(left)}")

    return Upload(clients, run.stop).send(left, done)
