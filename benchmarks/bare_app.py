"""The bare FastAPI app that the service is compared with: it returns some bytes."""

import os

from fastapi import FastAPI, Response

BODY = b"x" * int(os.environ["BARE_BODY_BYTES"])
app = FastAPI()


@app.get("/")
async def get_body() -> Response:
    return Response(BODY, media_type="application/json")
