"""A ranking sidecar as many are built: FastAPI on uvicorn, PyTorch on the CPU.

    python sidecar_service.py DATA THREADS

It holds the catalog as tensors, scores all of it exactly, gathers features and runs the ranker, with
so many threads for each request. The first line on standard output says where it listens. The weights of
decay are computed once, for one now and one tau, which spares it an exp for each item and request.
"""

import json
import os
import socket
import sys

import fastapi
import numpy
import torch
import uvicorn
from pydantic import BaseModel

from data_set import DataSet

CANDIDATES, STORED, LIMIT, HOUR = 2000, 126, 50, 3_600_000
folder, threads = sys.argv[1], int(sys.argv[2])
torch.set_num_threads(threads)
data = DataSet(folder, "clustered")
vectors = torch.from_numpy(data.vectors)
stored = numpy.fromfile(os.path.join(folder, "stored.features"), numpy.float32)
stored = torch.from_numpy(stored.reshape(-1, STORED))
hours = torch.log1p(torch.from_numpy((data.ages / HOUR).astype(numpy.float32)))
weights = torch.from_numpy(
    numpy.exp(-data.ages / data.settings["tauMs"]).astype(numpy.float32)
)
ranker = torch.jit.freeze(torch.jit.load(os.path.join(folder, "ranker.pt")).eval())


class Query(BaseModel):
    vector: list[float]
    limit: int = LIMIT


class Slate(BaseModel):
    ids: list[int]
    scores: list[float]


service = fastapi.FastAPI()


# Not async, so that FastAPI runs it on a thread of its pool and answers others meanwhile.
@service.post("/rank")
def rank(query: Query) -> Slate:
    with torch.inference_mode():
        dots = vectors @ torch.tensor(query.vector, dtype=torch.float32)
        ids = torch.topk(dots * weights, CANDIDATES).indices
        features = torch.cat([stored[ids], dots[ids, None], hours[ids, None]], dim=1)
        best = torch.topk(ranker(features)[:, 0], query.limit)
        return Slate(ids=ids[best.indices].tolist(), scores=best.values.tolist())


for _ in range(8):
    rank(Query(vector=data.queries[0].tolist()))
listener = socket.socket()
listener.bind(("127.0.0.1", 0))
versions = {
    "python": sys.version.split()[0],
    "torch": torch.__version__,
    "fastapi": fastapi.__version__,
    "uvicorn": uvicorn.__version__,
}
print(json.dumps({"port": listener.getsockname()[1], "versions": versions}), flush=True)
config = uvicorn.Config(service, log_level="warning", access_log=False)
uvicorn.Server(config).run(sockets=[listener])
