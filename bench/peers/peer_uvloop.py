"""asyncio on uvloop: the rows of peer_asyncio.py."""
import asyncio

import uvloop

import peer
import peer_asyncio

if __name__ == "__main__":
    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    peer.main(peer_asyncio.rows, peer_asyncio.run)
