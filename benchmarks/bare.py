"""The empty endpoint beside which the service is measured: FastAPI, some bytes, and nothing else."""

import os

from fastapi import FastAPI, Response

BODY = b"x" * int(os.environ["BARE_BODY_BYTES"])
app = FastAPI()


@app.get("/")
async def get_body() -> Response:
    return Response(BODY, media_type="application/json")
