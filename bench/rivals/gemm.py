"""Products with the weights of the models' layers: our kernels and oneDNN's, the latter as PyTorch calls it, with weights packed
beforehand (mkldnn._linear_pointwise in f32 and bf16, onednn.qlinear_pointwise in int8: unsigned activations of one scale, signed
weights of a scale a column, f32 out). Giga-operations a second, the best of repeated calls; the mean over six shapes for each
number of rows. What a call costs in PyTorch before it reaches oneDNN, some microseconds, is part of its figures and counts in the
shortest products.
Quality: ours is compared by kernels_bench with the scalar kernels (bit for bit, bf16 within its bound), oneDNN here with f64.
With --brief three numbers of rows. Without PyTorch, through which oneDNN is reached, the runner ends with 3."""
import importlib.util
import statistics

import numpy as np

import runs

SHAPES = ((384, 384), (384, 1536), (1536, 384), (768, 768), (768, 3072), (3072, 768))
ROWS = (14, 24, 96, 384, 1536)
BRIEF_ROWS = (14, 96, 384)


def precisions():
    """oneDNN has no product of bf16 without these instructions."""
    flags = runs.cpu_flags()
    has_bf16 = {"avx512bw", "avx512vl", "avx512dq"} <= flags or "avx_ne_convert" in flags
    return ("f32", "bf16", "int8") if has_bf16 else ("f32", "int8")


def products(torch, precision, rows, shape):
    """(a call of oneDNN, the relative error of its answer)."""
    random = np.random.default_rng(1)
    inputs, outputs = shape
    a = random.standard_normal((rows, inputs)).astype(np.float32)
    w = (0.05 * random.standard_normal((outputs, inputs))).astype(np.float32)
    bias = random.standard_normal(outputs).astype(np.float32)
    if precision == "int8":
        scale, zero = float(np.abs(a).max()) / 127, 128
        a_codes = np.clip(np.rint(a / scale) + zero, 0, 255).astype(np.uint8)
        w_scales = np.abs(w).max(axis=1) / (63 if runs.sums_saturate() else 127)
        w_codes = np.rint(w / w_scales[:, None]).astype(np.int8)
        exact = (a_codes.astype(np.float64) - zero) * scale @ (w_codes * w_scales[:, None].astype(np.float64)).T + bias
        packed = torch.ops.onednn.qlinear_prepack(torch.from_numpy(w_codes), [rows, inputs])
        source, scales, zeros = torch.from_numpy(a_codes), torch.from_numpy(w_scales), torch.zeros(outputs, dtype=torch.int64)
        offset = torch.from_numpy(bias)

        def call():
            return torch.ops.onednn.qlinear_pointwise(source, scale, zero, packed, scales, zeros, offset, 1.0, 0, torch.float32,
                                                      "none", [], "")
    else:
        kind = torch.float32 if precision == "f32" else torch.bfloat16
        source, weight, offset = (torch.from_numpy(x).to(kind) for x in (a, w, bias))
        exact = source.double().numpy() @ weight.double().numpy().T + offset.double().numpy()
        packed = torch.ops.mkldnn._reorder_linear_weight(weight, rows)

        def call():
            return torch.ops.mkldnn._linear_pointwise(source, packed, offset, "none", [], "")
    error = float(np.abs(call().double().numpy() - exact).max() / np.abs(exact).max())
    return call, error


class OneDnn:
    """Operands stay for all turns."""

    def __init__(self, precisions, row_counts, shapes):
        import torch
        self.torch, self.calls, self.errors = torch, {}, {}
        with torch.inference_mode():
            for precision in precisions:
                for rows in row_counts:
                    for shape in shapes:
                        call, error = products(torch, precision, rows, shape)
                        self.calls[precision, rows, shape] = call
                        self.errors[precision] = max(error, self.errors.get(precision, 0))

    def measure(self, budget):
        cells = {}
        with self.torch.inference_mode():
            for threads in (1, 2):
                self.torch.set_num_threads(threads)
                for (precision, rows, shape), call in self.calls.items():
                    operations = 2 * rows * shape[0] * shape[1]
                    cells[precision, rows, shape, threads] = operations / runs.best_seconds(budget, call) * 1e-9
        return cells


def ours(options, budget, most_rows):
    cells = {}
    for one in runs.json_lines(runs.run([runs.program(options, "kernels_bench"), "--only", "gemm", "--most-rows", most_rows,
                                         "--seconds-per-cell", budget, "--json"])):
        if str(one.get("kernel", "")).startswith("gemm_"):
            key = one["kernel"].removeprefix("gemm_"), one["rows"], (one["in"], one["out"])
            cells[*key, 1], cells[*key, 2] = one["gops"], one["gops_two_threads"]
    return cells


def main():
    options = runs.arguments(__doc__).parse_args()
    if importlib.util.find_spec("torch") is None:
        runs.cannot("oneDNN is measured through PyTorch, which is not installed: bench/rivals/setup.sh (3 GB)")
    budget = 0.002 if options.smoke else 0.02 if options.brief else 0.05
    row_counts = ROWS[:2] if options.smoke else BRIEF_ROWS if options.brief else ROWS
    record = runs.Record(options, {"torch": runs.version("torch")})
    compared = precisions()
    if "bf16" not in compared:
        record.note("oneDNN has no product of bf16 on this processor.")
    rival = OneDnn(compared, row_counts, SHAPES[:2] if options.smoke else SHAPES)
    found = runs.take_turns(options.repeats, {"ours": lambda: ours(options, budget, row_counts[-1]), "oneDNN": lambda: rival.measure(budget)})
    for precision in compared:
        for threads in (1, 2):
            for rows in row_counts:
                cells = [cell for cell in found["oneDNN"] if (cell[0], cell[1], cell[3]) == (precision, rows, threads)]
                means = [[statistics.mean(found[side][cell][turn] for cell in cells) for turn in range(options.repeats)]
                         for side in ("ours", "oneDNN")]
                quality = ("within its bound" if precision == "bf16" else "exact", f"error {rival.errors[precision]:.1g}")
                record.add(f"{precision}, {rows} rows, {'one thread' if threads == 1 else 'two threads'}", "oneDNN through PyTorch",
                           "GOP/s", means, quality, more_is_better=True)
    config = rival.torch.__config__.show()
    record.document["versions"]["oneDNN"] = next((line.split(" v")[1].split()[0] for line in config.splitlines() if "MKL-DNN v" in line), "")
    record.write(options.out)


if __name__ == "__main__":
    main()
