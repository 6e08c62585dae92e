"""Compiles a PyTorch ranker into an AOTInductor package (.pt2), which feedrank loads with
`Model.load(path, { allowUnverified: true, allowNativeCode: true })`.

    python3 scripts/export_ranker.py RANKER.py:FUNCTION --features 128 --out ranker.pt2

FUNCTION of RANKER.py returns the trained torch.nn.Module. Needs PyTorch of the minor version of the
LibTorch that will load the package, and a C++ compiler. docs/fast-rankers.md says what the
module must keep to.
"""

import argparse
import importlib.util
import pathlib

import torch


def export_ranker(module: torch.nn.Module, features: int, out: str) -> None:
    """forward(float32 [n, features]) -> [n] or [n, heads], for any n from 1 on."""
    module = module.eval().cpu()
    rows = torch.export.Dim("rows", min=1, max=65536)
    # Not one row: a compiler may take a size of 1 for a constant.
    example = torch.zeros(64, features)
    with torch.no_grad():
        program = torch.export.export(module, (example,), dynamic_shapes=({0: rows},))
    torch._inductor.aoti_compile_and_package(
        program,
        package_path=out,
        inductor_configs={
            "freezing": True,
            # Each of feedrank's threads runs a pass of its own.
            "cpp.threads": 1,
            # feedrank checks these before it runs the code, which itself checks nothing.
            "aot_inductor.metadata": {
                "feedrank_features": str(features),
                "feedrank_rows": "dynamic",
                "feedrank_torch": torch.__version__.split("+")[0],
            },
        },
    )


def load_function(source: str):
    path, _, name = source.rpartition(":")
    spec = importlib.util.spec_from_file_location(pathlib.Path(path).stem, path)
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return getattr(loaded, name)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("source", metavar="RANKER.py:FUNCTION")
    parser.add_argument("--features", type=int, required=True)
    parser.add_argument("--out", required=True)
    arguments = parser.parse_args()
    export_ranker(load_function(arguments.source)(), arguments.features, arguments.out)


if __name__ == "__main__":
    main()
