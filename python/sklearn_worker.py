"""Holds one scikit-learn model and answers for the model server that started it.

Messages travel on file descriptor 3, in both directions, so that whatever a model prints stays a log line:
four bytes of header length, four of payload length (little endian), a JSON header, a payload. The server sends
one call at a time; when it goes away the descriptor ends, and so does this process.
"""

import ctypes
import importlib
import importlib.metadata
import json
import math
import os
import signal
import struct
import sys
import types
import warnings

CHANNEL = 3
LENGTHS = struct.Struct("<II")


class Channel:
    def __init__(self, descriptor):
        # Programs started by the model must not hold the channel open.
        os.set_inheritable(descriptor, False)
        self.source = os.fdopen(os.dup(descriptor), "rb", buffering=1 << 16)
        self.sink = os.fdopen(descriptor, "wb", buffering=1 << 16)

    def receive(self):
        lengths = self.source.read(LENGTHS.size)
        if len(lengths) < LENGTHS.size:
            return None
        header_size, payload_size = LENGTHS.unpack(lengths)
        header = self.source.read(header_size)
        # A bytearray, because an array made over it must be writable: some estimators insist.
        payload = bytearray(payload_size)
        if len(header) < header_size or self.source.readinto(payload) < payload_size:
            return None
        return json.loads(header), payload

    def send(self, header, payload=b""):
        head = json.dumps(header).encode()
        self.sink.write(LENGTHS.pack(len(head), len(payload)))
        self.sink.write(head)
        self.sink.write(payload)
        self.sink.flush()


def die_with_parent():
    """A model that computes for minutes would notice the end of the channel too late."""
    try:
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)
    except (AttributeError, OSError):
        pass  # Not Linux: the end of the channel must do.


def describe(error):
    text = str(error).strip()
    kind = type(error)
    # Some modules name theirs plainly "error".
    name = f"{kind.__module__}.{kind.__name__}" if kind.__name__ == "error" else kind.__name__
    return f"{name}: {text}" if text else name


class LazyPandas(types.ModuleType):
    """Stands for pandas until someone uses it: scikit-learn imports it for a case that few models have, and it
    takes longer to import than all the rest."""

    def __getattr__(self, name):
        return getattr(importlib.import_module("pandas"), name)


def import_sklearn_without_pandas():
    if "sklearn.utils.fixes" in sys.modules:
        return
    try:
        version = importlib.metadata.version("pandas")
        stand_in = LazyPandas("pandas")
        stand_in.__version__ = version
        sys.modules["pandas"] = stand_in
        importlib.import_module("sklearn.utils.fixes")
    except ImportError:
        pass  # No pandas here, or a scikit-learn built differently: the plain way works for both.
    finally:
        # Everyone but the module above gets the real one.
        sys.modules.pop("pandas", None)


# What the models people save are most often made of. Importing is most of a start; a model then only unpickles.
COMMON = [
    "joblib", "numpy", "sklearn.compose", "sklearn.decomposition", "sklearn.dummy", "sklearn.ensemble",
    "sklearn.feature_extraction.text", "sklearn.impute", "sklearn.linear_model", "sklearn.naive_bayes",
    "sklearn.neighbors", "sklearn.neural_network", "sklearn.pipeline", "sklearn.preprocessing", "sklearn.svm",
    "sklearn.tree",
]  # fmt: skip


def warm_up():
    """Imports, and lets a model of nobody's answer once: the first answer finds everything loaded."""
    import_sklearn_without_pandas()
    for name in COMMON:
        try:
            importlib.import_module(name)
        except ImportError:
            pass  # Another version's layout: the model that needs it will say so.
    import numpy
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression().fit(numpy.array([[0.0, 0.0], [1.0, 1.0]]), numpy.array([0, 1]))
    rehearsed = Served(model, False)
    rehearsed.about()
    row = numpy.array([[0.5, 0.5]])
    rehearsed.predict({"form": "matrix", "rows": 1, "columns": 2, "integers": False}, bytearray(row.tobytes()))


def become(header):
    """The environment and folder as they are for the server now; nothing of an earlier life is left."""
    os.environ.clear()
    os.environ.update(header["env"])
    os.chdir(header["cwd"])
    # Whoever asked for it before asked in another environment.
    if "tempfile" in sys.modules:
        sys.modules["tempfile"].tempdir = None


def load(path, channel):
    with open(path, "rb") as file:
        mentions_sklearn = b"sklearn" in file.read(1 << 16)
    if mentions_sklearn:
        import_sklearn_without_pandas()
    import joblib

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model = joblib.load(path)
    for text in dict.fromkeys(str(warning.message) for warning in caught):
        channel.send({"log": "Warning: " + " ".join(text.split())})
    if not callable(getattr(model, "predict", None)):
        raise TypeError(f"it holds a {type(model).__name__}, which has no predict method")
    return model


def load_cause(error):
    """What a person should read about a file that did not load; pickle's own words are often none."""
    if isinstance(error, EOFError):
        return "EOFError: the file ends too early"
    if isinstance(error, (KeyError, IndexError)):
        return f"{describe(error)}: this is not a pickle that Python can read"
    return describe(error)


class Served:
    def __init__(self, model, predict_proba):
        self.model = model
        with_proba = predict_proba and callable(getattr(model, "predict_proba", None))
        self.call = model.predict_proba if with_proba else model.predict

    def about(self):
        features = getattr(self.model, "n_features_in_", None)
        classes = getattr(self.model, "classes_", None)
        integral = self.call == self.model.predict and getattr(classes, "dtype", None) is not None
        return {
            "ready": True,
            "features": int(features) if features is not None else -1,
            "datatype": datatype_of(classes.dtype) if integral else "FP64",
        }

    def predict(self, header, payload):
        import numpy

        if header["form"] == "matrix":
            rows = numpy.frombuffer(payload, dtype="<f8").reshape(header["rows"], header["columns"])
            instances = rows.astype("int64") if header["integers"] else rows
        else:
            instances = instances_of(json.loads(payload))
        result = self.call(instances)
        # Only an array with a row for each instance may be cut up among several requests.
        shape = getattr(result, "shape", ())
        rows = shape[0] if len(shape) > 0 else None
        return {"rows": rows}, to_json(plain(result))

    def infer(self, _header, payload):
        import numpy

        result = numpy.asarray(self.call(tensors_of(json.loads(payload))))
        tensor = {
            "name": "output-0",
            "datatype": datatype_of(result.dtype),
            "shape": list(result.shape),
            "data": plain(result.ravel()),
        }
        return {}, to_json([tensor])


def instances_of(instances):
    """Lists become an array; objects become a table with their keys as columns."""
    import numpy

    if instances and all(isinstance(one, dict) for one in instances):
        import pandas

        if all(isinstance(value, list) for one in instances for value in one.values()):
            return pandas.concat([pandas.DataFrame(one) for one in instances], axis=0, ignore_index=True)
        return pandas.DataFrame(instances)
    return numpy.array(instances)


NUMPY_TYPES = {
    "BOOL": "bool", "UINT8": "uint8", "UINT16": "uint16", "UINT32": "uint32", "UINT64": "uint64",
    "INT8": "int8", "INT16": "int16", "INT32": "int32", "INT64": "int64", "FP32": "float32", "FP64": "float64",
}  # fmt: skip
DATATYPES = {numpy_type: datatype for datatype, numpy_type in NUMPY_TYPES.items()}


def tensors_of(tensors):
    """One tensor is an array; several are the columns of a table."""
    import numpy

    arrays = {
        tensor["name"]: numpy.array(tensor["data"], dtype=NUMPY_TYPES.get(tensor["datatype"], object)).reshape(
            tensor["shape"]
        )
        for tensor in tensors
    }
    if len(tensors) == 1:
        return arrays[tensors[0]["name"]]
    import pandas

    return pandas.DataFrame({name: array.ravel() for name, array in arrays.items()})


def datatype_of(dtype):
    return DATATYPES.get(dtype.name, "BYTES")


def plain(result):
    if hasattr(result, "to_dict") and hasattr(result, "columns"):
        return result.to_dict(orient="records")
    if hasattr(result, "tolist"):
        return result.tolist()
    return [plain(one) for one in result] if isinstance(result, (list, tuple)) else result


def to_json(value):
    try:
        return json.dumps(value, allow_nan=False, default=fallback).encode()
    except ValueError:
        # JSON has no word for NaN and infinity; upstream answers null as well.
        return json.dumps(without_nan(value), default=fallback).encode()


def without_nan(value):
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, (list, tuple)):
        return [without_nan(one) for one in value]
    if isinstance(value, dict):
        return {key: without_nan(one) for key, one in value.items()}
    return value


def fallback(value):
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    return value.tolist() if hasattr(value, "tolist") else str(value)


def serve(channel, served):
    channel.send(served.about())
    while True:
        message = channel.receive()
        if message is None:
            return
        header, payload = message
        try:
            answer, body = (served.infer if header["op"] == "infer" else served.predict)(header, payload)
        except Exception as error:  # noqa: BLE001: a model may raise anything, and only this request failed
            answer, body = {"error": str(error) or type(error).__name__}, b""
        channel.send({"id": header["id"], **answer}, body)


def main():
    # Ctrl-C in a terminal reaches this process too, but it leaves when its server does.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    die_with_parent()
    channel = Channel(CHANNEL)
    while (message := channel.receive()) is not None:
        header, _ = message
        if header["op"] == "load":
            break
        warm_up()
        channel.send({"warm": True})
    else:
        return
    try:
        become(header)
        served = Served(load(header["path"], channel), os.environ.get("PREDICT_PROBA", "").lower() == "true")
    except BaseException as error:  # noqa: BLE001: unpickling runs the model's code, sys.exit included
        channel.send({"fatal": load_cause(error)})
        return
    serve(channel, served)


if __name__ == "__main__":
    main()
