"""Python's websockets against a node: one echo, then one broadcast."""

import asyncio
import sys

import websockets


async def main(url):
    async with websockets.connect(url) as ws:
        await ws.send("hi")
        print(await ws.recv(), flush=True)
        print(await ws.recv(), flush=True)


asyncio.run(asyncio.wait_for(main(sys.argv[1]), 60))
