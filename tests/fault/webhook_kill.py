#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""I17 under kill -9: the server dies again and again between the ack of a message and the delivery of its event. Every
acked message reaches the webhook at least once, always under the same id with the same body, signed; nothing else does.
"""
import json
import threading
import time

import rigs
from harness import SLOW, Failed, Rig, main, run_program
from webhook_sink import Sink, verify
from wire import Wire, WireClosed, WireError


CONVERSATIONS = 32


def cmid(rig):
    return f"{int(time.time() * 1000):012x}7{rig.random.getrandbits(12):03x}8{rig.random.getrandbits(60):015x}"


def send_until_it_dies(rig, agent, convs, acked, unknown):
    """Until the server is gone: one message after the other; what was acked, and what nobody can know. In many
    conversations, because the events of one leave one after the other."""
    try:
        with Wire(rig.server.port) as wire:
            wire.open_session(agent.token)
            while True:
                key = cmid(rig)
                unknown.add(key)
                wire.call("message.send", {"cmid": key, "conv": rig.random.choice(convs), "kind": "text",
                                           "text": f"message {key}"})
                acked.add(key)
                time.sleep(0.002)  # as many as the sink can take in a minute
    except (WireClosed, WireError, OSError, TimeoutError):
        return


def run():
    args = rigs.options(__doc__, 6, 40)
    with Rig("webhook_kill", args.seed) as rig:
        rig.start_server(env={"DESKBELL_WEBHOOK_ALLOW": "127.0.0.1", "DESKBELL_WEBHOOK_TRIES_S": "1 2 4 8 16"})
        sink, acked, unknown = Sink(), set(), set()
        sink.modes["/hook"] = lambda count: ("ok", "500", "close", "ok")[count % 4]
        made = json.loads(run_program("deskbell", "webhook", "add", "--data", rig.server.data, "--url",
                                      sink.url("/hook"), "--event", "message.created", "--json").stdout)
        convs, agent = [rig.customer(f"customer {n}").conv for n in range(CONVERSATIONS)], rig.agent("Kim")
        for _ in range(args.count):
            sender = threading.Thread(target=send_until_it_dies, args=(rig, agent, convs, acked, unknown))
            sender.start()
            time.sleep(rig.random.uniform(0.02, 0.4) * min(SLOW, 2))  # chance chooses the moment
            rig.server.kill()
            sender.join()
            rig.server.start()
        sink.modes["/hook"] = "ok"

        def seen():
            return {r.json["data"]["entry"]["cmid"] for r in sink.of("/hook")}
        if not sink.wait(lambda: acked <= seen(), 60 * SLOW):
            raise Failed(f"{len(acked - seen())} of {len(acked)} acked messages never reached the webhook")
        if seen() - unknown:
            raise Failed("an event of a message that nobody sent")
        by_id, by_cmid = {}, {}
        for request in sink.of("/hook"):
            key = request.json["data"]["entry"]["cmid"]
            if by_id.setdefault(request.id, request.body) != request.body:
                raise Failed(f"{request.id} came with two bodies")
            if by_cmid.setdefault(key, request.id) != request.id:
                raise Failed("one message under two ids")
            why = verify(made["secret"], request.headers, request.body)
            if why:
                raise Failed(f"{request.id}: {why}")
        if rig.server.stop() != 0:
            raise Failed("the server does not end in order")
        rig.check_logs()
        print(f"webhook_kill: {args.count} kills, {len(acked)} acked, {len(by_id)} events in "
              f"{len(sink.requests)} requests")


main(run)
