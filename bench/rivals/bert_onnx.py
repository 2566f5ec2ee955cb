"""A BERT as an ONNX graph of ONNX Runtime's fused operations: what its transformer optimiser makes of an exported model, written
down directly from the weights. build() also makes the dynamic int8 form."""
import json

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from safetensors.numpy import load_file

import runs

FUSED = "com.microsoft"


class Graph:
    def __init__(self, folder):
        self.config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        weights = load_file(folder / "model.safetensors")
        self.weights = {name.removeprefix("bert."): value for name, value in weights.items()}
        self.nodes, self.initializers = [], {}

    def constant(self, name, value):
        self.initializers[name] = numpy_helper.from_array(np.array(value, order="C"), name)  # keeps a number a number
        return name

    def weight(self, name):
        return self.constant(name, self.weights[name])

    def add(self, kind, inputs, output, domain="", **attributes):
        outputs = [output] if isinstance(output, str) else output
        self.nodes.append(helper.make_node(kind, inputs, outputs, name=f"{kind}_{outputs[0]}", domain=domain, **attributes))
        return outputs[0]

    def product(self, name, source, output):
        """source × the layer's weights, which PyTorch keeps transposed; without the bias."""
        return self.add("MatMul", [source, self.constant(f"{name}.transposed", self.weights[f"{name}.weight"].T)], output)

    def linear(self, name, source, output):
        return self.add("Add", [self.product(name, source, f"{output}.product"), self.weight(f"{name}.bias")], output)

    def norm(self, name, source, skip, bias, output):
        inputs = [source, skip, self.weight(f"{name}.weight"), self.weight(f"{name}.bias"), self.weight(bias)]
        return self.add("SkipLayerNormalization", inputs, output, FUSED, epsilon=float(self.config["layer_norm_eps"]))

    def embed(self):
        tables = [self.weight(f"embeddings.{name}_embeddings.weight") for name in ("word", "position", "token_type")]
        norm = [self.weight("embeddings.LayerNorm.weight"), self.weight("embeddings.LayerNorm.bias")]
        return self.add("EmbedLayerNormalization", ["ids", "types", *tables, *norm, "mask"], ["embedded", "mask_index"], FUSED,
                        epsilon=float(self.config["layer_norm_eps"]))

    def layer(self, number, source):
        base = f"encoder.layer.{number}."
        names = [f"{base}attention.self.{part}" for part in ("query", "key", "value")]
        weights = self.constant(f"{base}qkv.weight", np.concatenate([self.weights[f"{name}.weight"].T for name in names], axis=1))
        bias = self.constant(f"{base}qkv.bias", np.concatenate([self.weights[f"{name}.bias"] for name in names]))
        context = self.add("Attention", [source, weights, bias, "mask_index"], f"{base}context", FUSED,
                           num_heads=self.config["num_attention_heads"])
        attended = self.product(f"{base}attention.output.dense", context, f"{base}attended")
        middle = self.norm(f"{base}attention.output.LayerNorm", attended, source, f"{base}attention.output.dense.bias", f"{base}middle")
        wide = self.product(f"{base}intermediate.dense", middle, f"{base}wide")
        active = self.add("BiasGelu", [wide, self.weight(f"{base}intermediate.dense.bias")], f"{base}active", FUSED)
        narrow = self.product(f"{base}output.dense", active, f"{base}narrow")
        return self.norm(f"{base}output.LayerNorm", narrow, middle, f"{base}output.dense.bias", f"{base}out")

    def model(self):
        """The unit vector of the first token, or the logit where the model is a cross-encoder."""
        last = self.embed()
        for number in range(self.config["num_hidden_layers"]):
            last = self.layer(number, last)
        first = self.add("Gather", [last, self.constant("first", np.array(0, np.int64))], "first_token", axis=1)
        if "classifier.weight" in self.weights:
            pooled = self.add("Tanh", [self.linear("pooler.dense", first, "pooled")], "pooled_tanh")
            self.linear("classifier", pooled, "out")
        else:
            self.add("LpNormalization", [first], "out", axis=1, p=2)
        inputs = [helper.make_tensor_value_info(name, TensorProto.INT32, ["texts", "tokens"]) for name in ("ids", "types", "mask")]
        outputs = [helper.make_tensor_value_info("out", TensorProto.FLOAT, ["texts", "numbers"])]
        graph = helper.make_graph(self.nodes, "bert", inputs, outputs, list(self.initializers.values()))
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17), helper.make_opsetid(FUSED, 1)], ir_version=8)


def build(folder, out):
    """The f32 and the int8 file of a model folder, made once."""
    from onnxruntime.quantization import QuantType, quantize_dynamic
    out.parent.mkdir(parents=True, exist_ok=True)
    plain, narrow = out.with_suffix(".f32.onnx"), out.with_suffix(".int8.onnx")
    if not plain.exists():
        onnx.save(Graph(folder).model(), plain.with_suffix(".part"))
        plain.with_suffix(".part").replace(plain)
    if not narrow.exists():
        quantize_dynamic(str(plain), str(narrow.with_suffix(".part")), weight_type=QuantType.QInt8, per_channel=True,
                         reduce_range=runs.sums_saturate(), extra_options={"DefaultTensorType": TensorProto.FLOAT})
        narrow.with_suffix(".part").replace(narrow)
    return {"f32": plain, "int8": narrow}


def session(path, threads):
    import onnxruntime
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = threads
    settings.inter_op_num_threads = 1
    settings.log_severity_level = 3
    return onnxruntime.InferenceSession(str(path), settings, providers=["CPUExecutionProvider"])


def padded(sequences, types=None):
    """The three inputs of texts of mixed lengths."""
    shape = (len(sequences), max(map(len, sequences)))
    feed = {name: np.zeros(shape, np.int32) for name in ("ids", "types", "mask")}
    for index, ids in enumerate(sequences):
        feed["ids"][index, :len(ids)] = ids
        feed["mask"][index, :len(ids)] = 1
        if types is not None:
            feed["types"][index, :len(ids)] = types[index]
    return feed
