"""The KServe SDK's own client: create, wait until ready, get, patch, delete."""

import sys

from kserve import (
    KServeClient,
    V1beta1InferenceService,
    V1beta1InferenceServiceSpec,
    V1beta1ModelFormat,
    V1beta1ModelSpec,
    V1beta1PredictorSpec,
    constants,
)
from kubernetes import client

kubeconfig, model = sys.argv[1:3]
name, namespace = "sdk-iris", "default"
kserve = KServeClient(config_file=kubeconfig)

kserve.create(
    V1beta1InferenceService(
        api_version=constants.KSERVE_V1BETA1,
        kind=constants.KSERVE_KIND_INFERENCESERVICE,
        metadata=client.V1ObjectMeta(name=name, namespace=namespace),
        spec=V1beta1InferenceServiceSpec(
            predictor=V1beta1PredictorSpec(
                model=V1beta1ModelSpec(model_format=V1beta1ModelFormat(name="onnx"), storage_uri=model)
            )
        ),
    )
)
kserve.wait_isvc_ready(name, namespace=namespace, timeout_seconds=90, polling_interval=1)
service = kserve.get(name, namespace=namespace)
print("ready", service["status"]["url"])
assert service["status"]["modelStatus"]["transitionStatus"] == "UpToDate", service["status"]
kserve.delete(name, namespace=namespace)
print("gone")
