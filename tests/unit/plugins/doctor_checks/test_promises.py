"""Every built-in check that calls nobody keeps what checks promise."""

import pytest

from flow2api.hookspecs import DoctorCheck
from flow2api.plugins.doctor_checks import register_doctor_checks
from flow2api.testing.contracts import DoctorCheckContract

CHECKS = {check.name: check for check in register_doctor_checks()}


class TestEveryCheck(DoctorCheckContract):
    @pytest.fixture(params=CHECKS)
    def check(self, request: pytest.FixtureRequest) -> DoctorCheck:
        return CHECKS[request.param]
