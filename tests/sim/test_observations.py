"""The simulated cluster and a real broker behave alike in everything that is observed here."""

import pytest

from broker import Broker
from tests.sim.observations import Observations
from tests.sim.worlds import Real, Simulated, World


class TestSimulated(Observations):
    @pytest.fixture
    def world(self) -> World:
        return Simulated()


class TestSimulatedBeforeKip890(Observations):
    @pytest.fixture
    def world(self) -> World:
        return Simulated(old=True)


class TestBroker(Observations):
    @pytest.fixture
    def world(self, broker: Broker) -> World:
        return Real(broker.bootstrap)
