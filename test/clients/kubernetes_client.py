"""The official Python client: creates an InferenceService, watches it become Ready, deletes it, watches it go."""

import sys

from kubernetes import client, config, watch

kubeconfig, model = sys.argv[1:3]
config.load_kube_config(kubeconfig)
group, version, plural, namespace, name = "serving.kserve.io", "v1beta1", "inferenceservices", "default", "python-iris"
objects = client.CustomObjectsApi()

created = objects.create_namespaced_custom_object(
    group, version, namespace, plural,
    {
        "apiVersion": f"{group}/{version}",
        "kind": "InferenceService",
        "metadata": {"name": name},
        "spec": {"predictor": {"model": {"modelFormat": {"name": "onnx"}, "storageUri": model}}},
    },
)
assert created["metadata"]["uid"], created

seen = []
for event in watch.Watch().stream(
    objects.list_namespaced_custom_object, group, version, namespace, plural,
    resource_version=created["metadata"]["resourceVersion"], timeout_seconds=90,
):
    conditions = event["object"].get("status", {}).get("conditions", [])
    ready = next((c for c in conditions if c["type"] == "Ready"), {})
    seen.append(ready.get("status"))
    if ready.get("status") == "True":
        print("ready", event["object"]["status"]["url"])
        break
    assert ready.get("status") != "False", ready
else:
    raise SystemExit(f"never ready: {seen}")

pods = client.CoreV1Api().list_namespaced_pod(namespace, label_selector=f"serving.kserve.io/inferenceservice={name}")
assert len(pods.items) == 1 and pods.items[0].status.phase == "Running", pods
log = client.CoreV1Api().read_namespaced_pod_log(pods.items[0].metadata.name, namespace, container="storage-initializer")
assert "Successfully copied" in log, log

objects.delete_namespaced_custom_object(group, version, namespace, plural, name)
for event in watch.Watch().stream(
    client.CoreV1Api().list_namespaced_pod, namespace,
    label_selector=f"serving.kserve.io/inferenceservice={name}", timeout_seconds=60,
):
    if event["type"] == "DELETED":
        print("gone")
        break
else:
    raise SystemExit("its pod never went")
try:
    objects.get_namespaced_custom_object(group, version, namespace, plural, name)
    raise SystemExit("still there")
except client.ApiException as error:
    assert error.status == 404, error
