"""Runs cases of the Autobahn test suite against a WebSocket server.

Arguments: the URL, cases that are wanted, and cases that are not; both are lists with commas between, in which * stands
for anything. Writes a line of JSON for each case.
"""

import asyncio
import json
import os
import sys

from kosoku import FailureError, run_fuzzingclient

URL, WANTED, UNWANTED = sys.argv[1:4]


def names(text):
    return text.split(",") if text else None


async def main():
    try:
        results = await run_fuzzingclient(URL, names(WANTED), names(UNWANTED), concurrency=4)
    except FailureError as failure:
        results = failure.results
    for result in results:
        expected = result.expected or {}
        print(
            json.dumps(
                {
                    "id": result.case_id,
                    "behavior": result.behavior.value,
                    "close": result.behavior_close.value,
                    "code": result.remote_close_code,
                    "is_echoed": any(event[0] == "message" for events in expected.values() for event in events),
                }
            )
        )


asyncio.run(main())
sys.stdout.flush()
# The runner's threads may abort the process at its end, when all has been said.
os._exit(0)
