"""Reads what feedrank_bench --write-data has written."""

import json
import os

import numpy


class DataSet:
    def __init__(self, folder, name):
        with open(os.path.join(folder, "settings.json")) as file:
            self.settings = json.load(file)
        dimensions = self.settings["dimensions"]
        path = os.path.join(folder, name)
        self.vectors = numpy.fromfile(path + ".vectors", numpy.float32).reshape(-1, dimensions)
        self.ages = numpy.fromfile(path + ".ages", numpy.int64)
        self.queries = numpy.fromfile(path + ".queries", numpy.float32).reshape(-1, dimensions)

    def decayed(self):
        """The vectors with decay folded in, which fixes now and tau until they are made anew."""
        weights = numpy.exp(-self.ages / self.settings["tauMs"])
        return numpy.ascontiguousarray(self.vectors * weights.astype(numpy.float32)[:, None])
