"""Runs rounds as standard input asks for them; see bench/contender.js."""

import json
import sys
import time


def serve(round_, about, last_words=lambda: {}):
    round_(0)
    print(json.dumps({"ready": True, **about}), flush=True)
    number = 0
    for line in sys.stdin:
        ms = []
        for _ in range(int(line)):
            begin = time.perf_counter()
            round_(number)
            ms.append(1000 * (time.perf_counter() - begin))
            number += 1
        print(json.dumps(ms), flush=True)
    print(json.dumps(last_words()), flush=True)
