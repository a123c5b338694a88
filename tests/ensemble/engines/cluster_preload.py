"""Imported first by a Dask worker of the tests: the code hash that the tests fix."""

import os

from foedus.ensemble import plan


def dask_setup(worker):
    setattr(plan, "code_hash", lambda: os.environ.get("FAKE_CODE", "fixed"))  # noqa: B010
