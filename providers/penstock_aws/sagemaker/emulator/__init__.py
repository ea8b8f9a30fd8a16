"""Runs a SageMaker pipeline definition offline, under the service's own contract."""

from penstock_aws.sagemaker.emulator.emulator import SageMakerEmulator

__all__ = ["SageMakerEmulator"]
