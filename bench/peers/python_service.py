"""What Python has: faiss IndexFlatIP over decayed vectors, features in numpy, ONNX Runtime.

    python python_service.py DATA SOCKET

Two threads, one for each request; the protocol is that of ../end-to-end/serve-socket.js. The index has
to be made anew as time passes.
"""

import json
import os
import resource
import socket
import struct
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import faiss
import numpy
import onnxruntime

from data_set import DataSet

CANDIDATES, STORED, FEATURES, LIMIT, HOUR = 2000, 126, 128, 50, 3_600_000
folder, path = sys.argv[1:3]
data = DataSet(folder, "clustered")
stored = numpy.fromfile(os.path.join(folder, "stored.features"), numpy.float32)
stored = stored.reshape(-1, STORED)
hours = (data.ages / HOUR).astype(numpy.float32)
weights = numpy.exp(-data.ages / data.settings["tauMs"]).astype(numpy.float32)
index = faiss.IndexFlatIP(data.vectors.shape[1])
index.add(data.decayed())
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
options.inter_op_num_threads = 1
session = onnxruntime.InferenceSession(os.path.join(folder, "ranker.onnx"), options)


def rank(query):
    scores, ids = index.search(data.queries[query : query + 1], CANDIDATES)
    ids = ids[0]
    features = numpy.empty((len(ids), FEATURES), numpy.float32)
    features[:, :STORED] = stored[ids]
    features[:, STORED] = scores[0] / weights[ids]
    features[:, STORED + 1] = numpy.log1p(hours[ids])
    ranked = session.run(None, {"features": features})[0][:, 0]
    best = numpy.argpartition(-ranked, LIMIT)[:LIMIT]
    return ids[best[numpy.argsort(-ranked[best])]]


def serve(connection, pool):
    lock = threading.Lock()

    def answer(request, query):
        ids = rank(query).astype(numpy.uint32).tobytes()
        with lock:
            connection.sendall(struct.pack("<II", request, len(ids) // 4) + ids)

    rest = b""
    while chunk := connection.recv(65536):
        rest += chunk
        while len(rest) >= 8:
            pool.submit(answer, *struct.unpack("<II", rest[:8]))
            rest = rest[8:]


def accept(pool):
    while True:
        connection, _ = server.accept()
        threading.Thread(target=serve, args=(connection, pool), daemon=True).start()


# OpenMP keeps a setting for each thread.
pool = ThreadPoolExecutor(2, initializer=lambda: faiss.omp_set_num_threads(1))
for warm_up in [pool.submit(rank, query) for query in range(8)]:
    warm_up.result()
server = socket.socket(socket.AF_UNIX)
server.bind(path)
server.listen()
threading.Thread(target=accept, args=(pool,), daemon=True).start()
versions = {
    "python": sys.version.split()[0],
    "faiss": faiss.__version__,
    "numpy": numpy.__version__,
    "onnxruntime": onnxruntime.__version__,
}
print(json.dumps({"ready": True, "versions": versions}), flush=True)
for line in sys.stdin:
    command, *rest = line.split()
    if command == "candidates":
        print(json.dumps(index.search(data.queries[: int(rest[0])], CANDIDATES)[1].tolist()))
    else:
        print(json.dumps({"residentMB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))
    sys.stdout.flush()
