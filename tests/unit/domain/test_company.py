"""Batches that are held back while there is company."""

import asyncio

from flow2api.domain.company import Company

PACE_S = 0.05


async def took_s(company: Company, *, is_alone: bool) -> float:
    """From the beginning of a batch to the moment when the next one may begin."""
    began = asyncio.get_running_loop().time()
    company.begin()
    await company.gather(is_alone=is_alone)
    return asyncio.get_running_loop().time() - began


async def test_lone_callers_are_never_held_back() -> None:
    company = Company(PACE_S)
    assert await took_s(company, is_alone=True) < PACE_S
    assert await took_s(company, is_alone=True) < PACE_S


async def test_batches_with_company_begin_a_pace_apart() -> None:
    assert await took_s(Company(PACE_S), is_alone=False) >= PACE_S * 0.9


async def test_what_a_batch_itself_took_counts() -> None:
    company = Company(PACE_S)
    company.begin()
    await asyncio.sleep(PACE_S * 1.2)
    began = asyncio.get_running_loop().time()
    await company.gather(is_alone=False)
    assert asyncio.get_running_loop().time() - began < PACE_S / 2
