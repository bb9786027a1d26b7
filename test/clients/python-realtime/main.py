"""Listens as a program of Python does: subscribes, misses messages, gets them, asks who is there, and is revoked."""

import asyncio
import json
import sys

from centrifuge import (
    Client,
    ClientEventHandler,
    ReplyError,
    SubscriptionEventHandler,
)

URL, TOKEN, CHANNEL, OTHER = sys.argv[1:5]
heard = []
happened = []


class OfClient(ClientEventHandler):
    async def on_disconnected(self, ctx):
        happened.append(f"disconnected {ctx.code}")


class OfSubscription(SubscriptionEventHandler):
    async def on_publication(self, ctx):
        heard.append(ctx.pub.data["subject"]["id"])

    async def on_subscribed(self, ctx):
        happened.append(f"subscribed {ctx.recovered}")

    async def on_unsubscribed(self, ctx):
        happened.append(f"unsubscribed {ctx.code}")

    async def on_join(self, ctx):
        happened.append(f"join {ctx.info.user}")


def say(name, value=None):
    print(json.dumps([name, value]), flush=True)


async def until(passes):
    while not passes():
        await asyncio.sleep(0.01)


async def line():
    return (await asyncio.to_thread(sys.stdin.readline)).strip()


async def main():
    client = Client(URL, events=OfClient(), data={"token": TOKEN}, min_reconnect_delay=0.01)
    await client.connect()
    subscription = client.new_subscription(CHANNEL, events=OfSubscription(), join_leave=True)
    await subscription.subscribe()
    await subscription.ready()
    presence = await subscription.presence()
    say("present", [info.user for info in presence.clients.values()])
    say("counted", (await subscription.presence_stats()).num_clients)
    denied = client.new_subscription(OTHER, events=OfSubscription())
    await denied.subscribe()
    await until(lambda: "unsubscribed 103" in happened)
    try:
        await subscription.publish({})
    except ReplyError as error:
        say("publishing", error.code)

    say("ready")
    await until(lambda: len(heard) == 1)
    await client.disconnect()
    say("away")
    await line()
    await client.connect()
    await until(lambda: len(heard) == 3)
    history = await subscription.history(limit=1, reverse=True)
    say("newest", history.publications[0].data["subject"]["id"])
    say("heard", heard)
    await until(lambda: "disconnected 3500" in happened)
    say("happened", happened)


asyncio.run(main())
