"""Carries signed messages to the addresses of operators, in the Standard Webhooks format."""

from flow2api.adapters.webhooks.courier import CurlCourier

__all__ = ["CurlCourier"]
