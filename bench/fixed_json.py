"""Litestar's fixed JSON answer, served as the gateway is: what row 4 is measured against.

python bench/fixed_json.py PORT
"""

import sys

import uvicorn
from litestar import Litestar, get


@get("/v1/models")
async def fixed() -> dict[str, str]:
    return {"status": "ok"}


def main() -> None:
    app = Litestar([fixed], openapi_config=None, logging_config=None)
    uvicorn.run(app, port=int(sys.argv[1]), loop="uvloop", http="httptools", access_log=False, log_level="warning")


if __name__ == "__main__":
    main()
