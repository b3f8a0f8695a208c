"""Trains one small classifier on the iris flowers and saves it twice: for scikit-learn and as ONNX.

Run it in an environment of its own, then commit what it wrote:

    python -m venv /tmp/make-models
    /tmp/make-models/bin/pip install scikit-learn==1.6.1 joblib==1.4.2 skl2onnx==1.20.0
    /tmp/make-models/bin/python examples/models/make_models.py
"""

from pathlib import Path

import joblib
from skl2onnx import to_onnx
from skl2onnx.common.data_types import FloatTensorType
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

HERE = Path(__file__).resolve().parent

# An opset that every ONNX Runtime of the last years loads; newer ones would bring nothing to a linear model.
TARGET_OPSET = {"": 17, "ai.onnx.ml": 3}


def train() -> LogisticRegression:
    flowers, species = load_iris(return_X_y=True)
    return LogisticRegression(max_iter=500).fit(flowers, species)


def save_sklearn(model: LogisticRegression, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    joblib.dump(model, folder / "model.joblib")


def save_onnx(model: LogisticRegression, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    # Without ZipMap the probabilities stay a plain tensor that every ONNX runtime can return.
    graph = to_onnx(
        model,
        initial_types=[("input", FloatTensorType([None, 4]))],
        options={"zipmap": False},
        target_opset=TARGET_OPSET,
    )
    (folder / "model.onnx").write_bytes(graph.SerializeToString())


if __name__ == "__main__":
    classifier = train()
    save_sklearn(classifier, HERE / "sklearn-iris")
    save_onnx(classifier, HERE / "onnx-iris")
    for file in sorted(HERE.glob("*/model.*")):
        print(f"{file.relative_to(HERE)}: {file.stat().st_size} bytes")
