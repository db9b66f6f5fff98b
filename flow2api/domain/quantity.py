"""How many there are of something, in words."""


def counted(number: int, noun: str) -> str:
    """``1 account``, ``2 accounts``, ``1,000 accounts``; for nouns whose plural takes an ``s``, or a ``y`` into ``ies``."""
    if number == 1:
        return f"1 {noun}"
    plural = f"{noun[:-1]}ies" if noun.endswith("xy") else f"{noun}s"
    return f"{number:,} {plural}"
