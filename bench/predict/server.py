# The Python KServe server with scikit-learn, put together as the official sklearnserver is: a Model and a ModelServer.
import sys

import joblib
import numpy
from kserve import Model, ModelServer


class SKLearnModel(Model):
    def __init__(self, name, path):
        super().__init__(name)
        self._model = joblib.load(path)
        self.ready = True

    def predict(self, payload, headers=None):
        return {"predictions": self._model.predict(numpy.array(payload["instances"])).tolist()}


if __name__ == "__main__":
    port, path, latency_log = sys.argv[1:]
    server = ModelServer(http_port=int(port), enable_grpc=False, workers=1, enable_latency_logging=latency_log == "1")
    server.start([SKLearnModel("iris", path)])
