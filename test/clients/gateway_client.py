"""requests and httpx through the gateway: gateway_client.py PORT TLS_PORT CA"""
import sys

import httpx
import requests

port, tls_port, ca = sys.argv[1:]
base = f"http://127.0.0.1:{port}"
host = {"Host": "model.test"}


def pieces():
    for index in range(50):
        yield f"piece {index} ".encode()


whole = b"".join(pieces())

with requests.Session() as session:
    session.headers.update(host)
    for _ in range(20):
        answer = session.post(f"{base}/echo", json={"instances": [[1, 2]]})
        assert answer.status_code == 200 and answer.json() == {"instances": [[1, 2]]}, answer.text
    assert session.post(f"{base}/echo", data=pieces()).content == whole
    large = b"x" * 3_000_000
    assert session.post(f"{base}/echo", data=large).content == large
    with session.get(f"{base}/events", stream=True) as answer:
        events = [line for line in answer.iter_lines() if line.startswith(b"data: ")]
    assert events == [b"data: 0", b"data: 1", b"data: 2"], events
    assert session.head(f"{base}/echo").status_code == 200
    assert session.get(f"{base}/echo", headers={"Host": "nowhere.test"}).headers["x-drydock-reason"] == "NoRoute"
print("ok requests")

for name, options in {"HTTP/1.1": {}, "HTTP/2": {"http1": False, "http2": True}}.items():
    with httpx.Client(headers=host, **options) as client:
        for _ in range(20):
            answer = client.post(f"{base}/echo", json={"a": 1})
            assert answer.http_version == name and answer.json() == {"a": 1}, (answer.http_version, answer.text)
        assert client.post(f"{base}/echo", content=pieces()).content == whole
        with client.stream("GET", f"{base}/events") as answer:
            events = [line for line in answer.iter_lines() if line.startswith("data: ")]
        assert events == ["data: 0", "data: 1", "data: 2"], events
    print("ok httpx", name)

with httpx.Client(http2=True, verify=ca) as client:
    answer = client.get(
        f"https://127.0.0.1:{tls_port}/echo", headers=host, extensions={"sni_hostname": "model.test"}
    )
    assert answer.http_version == "HTTP/2" and answer.status_code == 200, answer
print("ok httpx TLS")
