#!/usr/bin/env python3
"""What prometheus-adapter, KEDA and an HPA would ask for a hint, asked of a real Prometheus and of the agent: delivery_test.py FLINTGAUGE

Every query of deploy/adapter and deploy/keda is rendered as its program does it and must give exactly one finite value per object,
with the right labels, while there is a hint, and nothing (not zero) once there is none. The manifests may only use keys that exist.
Needs Debian's packages prometheus and python3-yaml.
"""
import json
import math
import pathlib
import re
import sys
import tempfile
import time
import urllib.error
import urllib.parse

import yaml

sys.dont_write_bytecode = True  # no cache beside the sources
from processes import ROOT, Processes, free_port, get
from prometheus_api import Prometheus

DEPLOY = ROOT / "deploy"
STEP = 1  # seconds
# Keys of KEDA's triggers (its documentation of the scalers prometheus and metrics-api) and of keda.sh/v1alpha1.
TRIGGERS = {
    "prometheus": {"serverAddress", "query", "threshold", "activationThreshold", "namespace", "customHeaders", "ignoreNullValues",
                   "queryParameters", "unsafeSsl", "timeout", "authModes"},
    "metrics-api": {"url", "format", "valueLocation", "targetValue", "activationTargetValue", "unsafeSsl", "timeout", "authMode",
                    "aggregateFromKubeServiceEndpoints", "aggregationType"},
}
SCALED_OBJECT = {"scaleTargetRef", "pollingInterval", "cooldownPeriod", "initialCooldownPeriod", "idleReplicaCount", "minReplicaCount",
                 "maxReplicaCount", "fallback", "advanced", "triggers"}
# Fields of prometheus-adapter's rules (its docs/config.md).
RULE = {"seriesQuery", "seriesFilters", "resources", "name", "metricsQuery"}
failures = []


def expect(good, message):
    if not good:
        failures.append(message)
        print(f"FAILED: {message}", flush=True)


def render(template, series, matchers, group_by):
    """A metricsQuery as prometheus-adapter renders it: a Go template with << and >>."""
    values = {"Series": series, "LabelMatchers": matchers, "GroupBy": group_by}
    text = re.sub(r"<<\s*\.(\w+)\s*>>", lambda m: values[m[1]], template)
    assert "<<" not in text, text
    return text


def one_value(prometheus, query, labels, where):
    """The one finite value that a consumer takes; None after a failure."""
    answer = prometheus.query(query, time.time())
    expect(len(answer) == 1, f"{where}: {len(answer)} values for one object: {query}")
    if len(answer) != 1:
        return None
    got, value = answer[0]
    expect(math.isfinite(value), f"{where}: {value}")
    expect(all(got.get(name) == text for name, text in labels.items()), f"{where}: labels {got}, want {labels}")
    return value


class Adapter:
    def __init__(self):
        self.config = yaml.safe_load((DEPLOY / "adapter/config.yaml").read_text())
        expect(set(self.config) <= {"rules", "externalRules", "resourceRules"}, f"adapter: sections {set(self.config)}")
        for rule in self.config["rules"] + self.config["externalRules"]:
            expect(set(rule) <= RULE and {"seriesQuery", "metricsQuery"} <= set(rule), f"adapter: keys {set(rule)}")

    def queries(self, hints):
        """(where, query, labels wanted) for every application and namespace."""
        for rule in self.config["externalRules"]:
            series = rule["seriesQuery"].split("{")[0]
            for namespace, app in hints:  # the HPA's namespace, and its selector
                matchers = f'namespace="{namespace}",app_id="{app}"'
                yield f"adapter, external {app}", render(rule["metricsQuery"], series, matchers, "namespace"), {"namespace": namespace}
        for rule in self.config["rules"]:
            series = rule["seriesQuery"].split("{")[0]
            for namespace in {namespace for namespace, _ in hints}:
                query = render(rule["metricsQuery"], series, f'namespace=~"{namespace}"', "namespace")
                yield f"adapter, custom {namespace}", query, {"namespace": namespace}


def scaled_objects():
    for file in sorted((DEPLOY / "keda").glob("*.yaml")):
        document = yaml.safe_load(file.read_text())
        expect(document["apiVersion"] == "keda.sh/v1alpha1" and document["kind"] == "ScaledObject", f"{file.name}: kind")
        expect(set(document["spec"]) <= SCALED_OBJECT, f"{file.name}: keys {set(document['spec']) - SCALED_OBJECT}")
        for trigger in document["spec"]["triggers"]:
            unknown = set(trigger["metadata"]) - TRIGGERS[trigger["type"]]
            expect(not unknown, f"{file.name}: trigger {trigger['type']} has no {unknown}")
            expect(all(isinstance(value, str) for value in trigger["metadata"].values()), f"{file.name}: metadata are strings")
            expect(trigger["metricType"] == "AverageValue", f"{file.name}: a number of executors is an AverageValue")
            yield file.name, trigger["type"], trigger["metadata"]


def fill(text, namespace, app):
    assert "APPLICATION_ID" in text, text
    return text.replace("APPLICATION_ID", app).replace("team-a", namespace)


def check_examples():
    for file in sorted((DEPLOY / "examples").glob("*.yaml")):
        spec = yaml.safe_load(file.read_text())["spec"]
        names = {rule["name"]["as"] for section in ("rules", "externalRules") for rule in Adapter().config[section]}
        for metric in spec["metrics"]:
            inner = metric[metric["type"].lower()]
            expect(inner["metric"]["name"] in names, f"{file.name}: the adapter has no {inner['metric']['name']}")
            expect(inner["target"] == {"type": "AverageValue", "averageValue": "1"}, f"{file.name}: target {inner['target']}")
        expect(set(spec["behavior"]) == {"scaleUp", "scaleDown"}, f"{file.name}: behavior")


def ask(url):
    """(status, JSON) of the agent's API."""
    try:
        return 200, json.loads(get(url))
    except urllib.error.HTTPError as error:
        return error.code, None


def check_metrics_api(address, metadata, where, namespace, app):
    url = urllib.parse.urlsplit(fill(metadata["url"], namespace, app))
    base = f"http://{address}{url.path}?{url.query}"
    expect(re.fullmatch(r"[a-z-]+\.[a-z-]+\.svc(\.cluster\.local)?:\d+", url.netloc), f"{where}: KEDA cannot aggregate over {url.netloc}")
    status, body = ask(base)
    value = (body or {}).get(metadata["valueLocation"])  # a GJSON path of one key
    expect(status == 200 and isinstance(value, (int, float)) and value >= 0, f"{where}: {status} {body}")
    status, body = ask(base.replace(app, "spark-of-another-node"))
    expect(status == 200 and body[metadata["valueLocation"]] == 0, f"{where}: an application of another node: {status} {body}")
    status, _ = ask(base.replace(app, "spark-of-another-node").replace("?absent=zero", ""))
    expect(status == 404, f"{where}: without absent=zero no hint is 404, not {status}")


def start(processes, program, folder):
    address = f"127.0.0.1:{free_port()}"
    agent = processes.start("demo", program, "demo", "--listen", address)
    hints = processes.wait_for(agent, "no hints of two applications",
                               lambda: (lambda found: found if len(found) >= 2 else None)(hints_of(address)), 90)
    # The labels of the target are those that Kubernetes discovery gives the agent's own pod.
    target = {"targets": [address], "labels": {"namespace": "flintgauge", "pod": "flintgauge-abcde"}}
    config = {"global": {"scrape_interval": f"{STEP}s", "scrape_timeout": f"{STEP}s"},
              "scrape_configs": [{"job_name": "flintgauge", "honor_labels": True, "static_configs": [target]},
                                 {"job_name": "trap", "honor_labels": False, "static_configs": [target]}]}
    file = folder / "prometheus.yaml"
    file.write_text(yaml.safe_dump(config))
    listen = f"127.0.0.1:{free_port()}"
    process = processes.start("prometheus", "prometheus", f"--config.file={file}", f"--storage.tsdb.path={folder / 'data'}",
                              f"--web.listen-address={listen}")
    processes.wait_for(process, "never ready", lambda: get(f"http://{listen}/-/ready"))
    prometheus = Prometheus(f"http://{listen}")
    processes.wait_for(process, "the agent is never scraped",
                       lambda: len(prometheus.query('flintgauge_hint_executors_desired{job="flintgauge"}', time.time())) >= 2)
    return address, agent, prometheus, hints


def hints_of(address):
    document = json.loads(get(f"http://{address}/api/v1/hints"))
    return {(hint["namespace"], hint["appId"]): hint for hint in document["hints"]}


def check_all(prometheus, address, hints, triggers):
    asked = 0
    for where, query, labels in Adapter().queries(hints):
        one_value(prometheus, query, labels, where)
        asked += 1
    for where, kind, metadata in triggers:
        for namespace, app in hints:
            if kind == "prometheus":
                one_value(prometheus, fill(metadata["query"], namespace, app), {}, f"{where}, {app}")
            else:
                check_metrics_api(address, metadata, f"{where}, {app}", namespace, app)
            asked += 1
    for namespace, _ in hints:
        trapped = prometheus.query(f'flintgauge_hint_executors_desired{{job="trap",namespace="{namespace}"}}', time.time())
        expect(not trapped, "without honor_labels the adapter would find nothing; has Prometheus changed?")
    return asked


def check_gone(processes, prometheus, agent, hints, triggers):
    agent.terminate()
    agent.wait(10)
    end = time.monotonic() + 30
    while prometheus.query('up{job="flintgauge"} == 1', time.time()) and time.monotonic() < end:
        time.sleep(0.2)
    queries = [query for _, query, _ in Adapter().queries(hints)]
    queries += [fill(metadata["query"], *app) for _, kind, metadata in triggers for app in hints if kind == "prometheus"]
    for query in queries:
        expect(not prometheus.query(query, time.time()), f"no agent, but a value: {query}")
    return len(queries)


def main():
    triggers = list(scaled_objects())
    expect({kind for _, kind, _ in triggers} == set(TRIGGERS), "one ScaledObject for each way")
    check_examples()
    with tempfile.TemporaryDirectory(prefix="flintgauge-delivery-") as folder, Processes(folder) as processes:
        address, agent, prometheus, hints = start(processes, pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(folder))
        asked = check_all(prometheus, address, hints, triggers)
        gone = check_gone(processes, prometheus, agent, hints, triggers)
    print(f"{len(hints)} hints, {asked} questions, {gone} of them again without an agent")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
