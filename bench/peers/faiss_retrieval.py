"""faiss IndexFlatIP over vectors with decay folded in: exact, for one now and one tau."""

import argparse

import faiss

from data_set import DataSet
from rounds import serve

parser = argparse.ArgumentParser()
parser.add_argument("--data", required=True)
parser.add_argument("--set", required=True)
parser.add_argument("--together", type=int, default=1)
parser.add_argument("--threads", type=int, default=1)
parser.add_argument("--k", type=int, default=500)
# Above how many queries faiss multiplies matrices instead of scanning; its default is its own.
parser.add_argument("--blas-threshold", type=int)
options = parser.parse_args()

faiss.omp_set_num_threads(options.threads)
if options.blas_threshold is not None:
    faiss.cvar.distance_compute_blas_threshold = options.blas_threshold
data = DataSet(options.data, options.set)
index = faiss.IndexFlatIP(data.vectors.shape[1])
index.add(data.decayed())
together = options.together
batches = len(data.queries) // together


def search(number):
    begin = number % batches * together
    return index.search(data.queries[begin : begin + together], options.k)


def last_words():
    return {"answers": index.search(data.queries[:8], options.k)[1].tolist()}


serve(
    search,
    {"versions": {"faiss": faiss.__version__, "faissBuild": faiss.get_compile_options().strip()}},
    last_words,
)
