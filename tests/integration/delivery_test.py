#!/usr/bin/env python3
"""What prometheus-adapter, KEDA and an HPA would ask for a hint, asked of a real Prometheus and of the agent: delivery_test.py FLINTGAUGE

Every query of deploy/adapter and deploy/keda is rendered as its program does it and must give exactly one finite value per object,
with the right labels, while there is a hint, and nothing (not zero) once there is none: while a driver does not answer its agent, and
without agents. Two agents: of the demo, and of a node with a standalone cluster whose stream is too slow (delivery_node.py), for which
the value itself is known. The manifests may only use keys that exist.
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
import delivery_node
from processes import ROOT, Processes, free_port, get
from prometheus_api import Prometheus

sys.path.append(str(ROOT / "tests/tools"))
import json_form  # noqa: E402
import recompute_hints  # noqa: E402

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
# Parts of /api/v1/hints/NAMESPACE/APP_ID, and their definitions in docs/hints.schema.json.
FORMS = {"": "application", "/horizontal": "horizontalAnswer", "/vertical": "verticalAnswer", "/bottleneck": "bottleneckAnswer",
         "/quota": "quotaAnswer", "/sideways": "sidewaysAnswer"}
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


class Objects:
    """What there are hints of: applications and standalone clusters, as (namespace, name); `wanted`: {object: the value if it is known}."""

    LABELS = {"app_id": "apps", "cluster": "pools"}  # the label that names the object, and the list it is in

    def __init__(self, apps=(), pools=(), wanted=None):
        self.apps, self.pools, self.wanted = list(apps), list(pools), wanted or {}

    def __add__(self, other):
        return Objects(self.apps + other.apps, self.pools + other.pools, self.wanted | other.wanted)

    def of(self, label):
        return getattr(self, self.LABELS[label])


class Adapter:
    def __init__(self):
        self.config = yaml.safe_load((DEPLOY / "adapter/config.yaml").read_text())
        expect(set(self.config) <= {"rules", "externalRules", "resourceRules"}, f"adapter: sections {set(self.config)}")
        for rule in self.config["rules"] + self.config["externalRules"]:
            expect(set(rule) <= RULE and {"seriesQuery", "metricsQuery"} <= set(rule), f"adapter: keys {set(rule)}")

    @staticmethod
    def parts(rule):
        """The series that the rule is of, and the label that names its objects."""
        series, matchers = rule["seriesQuery"].rstrip("}").split("{")
        label = re.fullmatch(r'namespace!="",(\w+)!=""', matchers)[1]
        return series, label

    def queries(self, objects):
        """(where, query, labels wanted, value wanted or None) for every object, and every namespace that has one."""
        for rule in self.config["externalRules"]:
            series, label = self.parts(rule)
            for namespace, name in objects.of(label):  # the HPA's namespace, and its selector
                query = render(rule["metricsQuery"], series, f'namespace="{namespace}",{label}="{name}"', "namespace")
                yield f"adapter, external {name}", query, {"namespace": namespace}, objects.wanted.get((namespace, name))
        for rule in self.config["rules"]:
            series, label = self.parts(rule)
            for namespace in {namespace for namespace, _ in objects.of(label)}:
                query = render(rule["metricsQuery"], series, f'namespace=~"{namespace}"', "namespace")
                known = [objects.wanted.get(one) for one in objects.of(label) if one[0] == namespace]
                yield f"adapter, custom {namespace}", query, {"namespace": namespace}, None if None in known else sum(known)


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


def placeholder(text):
    """The word that stands for the object, and the label that names such objects."""
    return ("CLUSTER", "cluster") if "CLUSTER" in text else ("APPLICATION_ID", "app_id")


def fill(text, namespace, name):
    word = placeholder(text)[0]
    assert word in text, text
    return text.replace(word, name).replace("team-a", namespace)


def trigger_queries(triggers, objects):
    """(where, query, value wanted or None) of every trigger that asks Prometheus."""
    for where, kind, metadata in triggers:
        if kind == "prometheus":
            for one in objects.of(placeholder(metadata["query"])[1]):
                yield f"{where}, {one[1]}", fill(metadata["query"], *one), objects.wanted.get(one)


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


def trigger_url(metadata, address, where, namespace, app):
    url = urllib.parse.urlsplit(fill(metadata["url"], namespace, app))
    expect(re.fullmatch(r"[a-z-]+\.[a-z-]+\.svc(\.cluster\.local)?:\d+", url.netloc), f"{where}: KEDA cannot aggregate over {url.netloc}")
    return f"http://{address}{url.path}?{url.query}"


def is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool) and value >= 0


def check_metrics_api(address, metadata, where, namespace, app, wanted):
    base = trigger_url(metadata, address, where, namespace, app)
    key = metadata["valueLocation"]  # a GJSON path of one key
    status, body = ask(base)
    value = (body or {}).get(key)
    has_rate = (body or {}).get("byRate") is not None
    if key == "byRate" and not has_rate:  # not a stream: KEDA says an error, and takes no zero
        expect(status == 200 and value is None, f"{where}: {status} {body}")
    else:
        expect(status == 200 and is_number(value), f"{where}: {status} {body}")
    if wanted is not None:
        expect(max(body["desired"], body["byRate"] or 0) == wanted, f"{where}: {body['desired']} and {body['byRate']}, want {wanted}")
    status, body = ask(base.replace(app, "spark-of-another-node"))
    expect(status == 200 and body[key] == 0, f"{where}: an application of another node: {status} {body}")
    status, _ = ask(base.replace(app, "spark-of-another-node").replace("?absent=zero", ""))
    expect(status == 404, f"{where}: without absent=zero no hint is 404, not {status}")


class Agents:
    """Both agents, the Prometheus that scrapes them, and what they have hints of."""

    def __init__(self, processes, program, folder):
        self.processes = processes
        address = f"127.0.0.1:{free_port()}"
        self.demo = processes.start("demo", program, "demo", "--listen", address)
        self.node = delivery_node.ClusterNode(processes, program)
        apps = processes.wait_for(self.demo, "no hints of two applications", lambda: many(hints_of(address), 2), 90)
        own = (delivery_node.NAMESPACE, delivery_node.APP), (delivery_node.NAMESPACE, delivery_node.CLUSTER)
        self.of_demo = Objects(apps)
        self.of_node = Objects([own[0]], [own[1]], dict.fromkeys(own, delivery_node.WANTED))
        self.objects = self.of_demo + self.of_node
        self.address_of = {app: address for app in apps} | {own[0]: self.node.address}
        self.prometheus = self.start_prometheus(folder, [address, self.node.address])

    def start_prometheus(self, folder, addresses):
        # The labels of the targets are those that Kubernetes discovery gives the agents' own pods.
        targets = [{"targets": [one], "labels": {"namespace": "flintgauge", "pod": f"flintgauge-{i}"}} for i, one in enumerate(addresses)]
        config = {"global": {"scrape_interval": f"{STEP}s", "scrape_timeout": f"{STEP}s"},
                  "scrape_configs": [{"job_name": "flintgauge", "honor_labels": True, "static_configs": targets},
                                     {"job_name": "trap", "honor_labels": False, "static_configs": targets}]}
        file = folder / "prometheus.yaml"
        file.write_text(yaml.safe_dump(config))
        listen = f"127.0.0.1:{free_port()}"
        process = self.processes.start("prometheus", "prometheus", f"--config.file={file}", f"--storage.tsdb.path={folder / 'data'}",
                                       f"--web.listen-address={listen}")
        self.processes.wait_for(process, "never ready", lambda: get(f"http://{listen}/-/ready"))
        prometheus = Prometheus(f"http://{listen}")
        wanted = len(self.objects.apps)
        self.processes.wait_for(process, "the agents are never scraped", lambda: len(
            prometheus.query('flintgauge_hint_executors_desired{job="flintgauge"}', time.time())) >= wanted)
        return prometheus

    def until(self, what, condition, seconds=60):
        return self.processes.wait_for(self.node.process, what, condition, seconds)


def many(found, least):
    return found if len(found) >= least else None


def hints_of(address):
    document = json.loads(get(f"http://{address}/api/v1/hints"))
    return [(hint["namespace"], hint["appId"]) for hint in document["hints"]]


def check_all(agents, triggers):
    """Every question has one answer. The number of questions."""
    asked = 0
    for where, query, labels, wanted in Adapter().queries(agents.objects):
        value = one_value(agents.prometheus, query, labels, where)
        expect(wanted is None or value == wanted, f"{where}: {value}, want {wanted}")
        asked += 1
    for where, query, wanted in trigger_queries(triggers, agents.objects):
        value = one_value(agents.prometheus, query, {}, where)
        expect(wanted is None or value == wanted, f"{where}: {value}, want {wanted}")
        asked += 1
    for where, kind, metadata in triggers:
        for app in agents.objects.apps if kind == "metrics-api" else []:
            check_metrics_api(agents.address_of[app], metadata, f"{where}, {app[1]}", *app, agents.objects.wanted.get(app))
            asked += 1
    for namespace, _ in agents.objects.apps:
        trapped = agents.prometheus.query(f'flintgauge_hint_executors_desired{{job="trap",namespace="{namespace}"}}', time.time())
        expect(not trapped, "without honor_labels the adapter would find nothing; has Prometheus changed?")
    return asked


def check_explained(address):
    """?explain=1 of the node and of its namespace: pools and hints worked out again from the JSON alone."""
    for path in ("", f"/{delivery_node.NAMESPACE}"):
        status, told = ask(f"http://{address}/api/v1/hints{path}?explain=1")
        expect(status == 200 and len(told["pools"]) == 1 and told["hints"], f"explained: {status} {told}")
        differences = recompute_hints.check_answer(told) + json_form.refusals(told, "list")
        expect(not differences, f"explained: {differences}")
        pool = told["pools"][0]
        for damaged in (pool | {"desired": pool["desired"] + 1}, pool | {"coresPerWorker": pool["coresPerWorker"] * 7},
                        pool | {"terms": pool["terms"] | {"demandCores": 0}}, pool | {"applications": []}):
            expect(recompute_hints.check_answer(told | {"pools": [damaged]}), f"the sums cannot find {damaged}")


def check_forms(agents):
    """Real answers of every kind have the published form."""
    seen = set()
    for app in agents.objects.apps:
        for part, form in FORMS.items():
            for query in ("", "?explain=1"):
                status, told = ask(f"http://{agents.address_of[app]}/api/v1/hints/{'/'.join(app)}{part}{query}")
                refused = json_form.refusals(told, form) if status == 200 else []
                expect(not refused, f"{app} {part}{query}: {refused}")
                seen |= {form} if status == 200 else set()
    expect(seen == set(FORMS.values()), f"answers of {seen} only")
    told = ask(f"http://{agents.node.address}/api/v1/hints/team-x/spark-none/horizontal?absent=zero")[1]
    expect(not json_form.refusals(told, "absentAnswer"), f"not owned: {told}")
    expect(json_form.refusals(told, "horizontalAnswer"), "the form can refuse")


def expect_nothing(prometheus, triggers, objects, why):
    queries = [query for _, query, _, _ in Adapter().queries(objects)] + [query for _, query, _ in trigger_queries(triggers, objects)]
    for query in queries:
        expect(not prometheus.query(query, time.time()), f"{why}, but a value: {query}")
    return len(queries)


def check_stale(agents, triggers):
    """A driver that fails while its agent lives: no value, and no zero; and the others' values stay."""
    family = f'{{__name__=~"flintgauge_hint_(executors|workers).*",job="flintgauge",namespace="{delivery_node.NAMESPACE}"}}'
    agents.node.driver.is_broken = True
    agents.until("the hints outlive their driver", lambda: not agents.prometheus.query(family, time.time()))
    up = agents.prometheus.query(f'up{{job="flintgauge",instance="{agents.node.address}"}}', time.time())
    expect([value for _, value in up] == [1], f"the agent itself lives: {up}")
    asked = expect_nothing(agents.prometheus, triggers, agents.of_node, "the driver does not answer")
    for where, kind, metadata in triggers:
        if kind == "metrics-api":
            base = trigger_url(metadata, agents.node.address, where, *agents.of_node.apps[0])
            expect(ask(base)[0] == 503, f"{where}: the owner without fresh data says an error, not {ask(base)}")
            expect(ask(base.replace("?absent=zero", ""))[0] == 404, f"{where}: no hint is 404")
            asked += 1
    for where, query, labels, _ in Adapter().queries(agents.of_demo):
        one_value(agents.prometheus, query, labels, f"{where}, while another driver is silent")
    agents.node.driver.is_broken = False
    agents.until("the hints do not come back", agents.node.is_whole)
    agents.until("the series do not come back", lambda: agents.prometheus.query(family, time.time()))
    return asked


def check_gone(agents, triggers):
    for process in (agents.demo, agents.node.process):
        process.terminate()
        process.wait(10)
    end = time.monotonic() + 30
    while agents.prometheus.query('up{job="flintgauge"} == 1', time.time()) and time.monotonic() < end:
        time.sleep(0.2)
    return expect_nothing(agents.prometheus, triggers, agents.objects, "no agent")


def main():
    triggers = list(scaled_objects())
    expect({kind for _, kind, _ in triggers} == set(TRIGGERS), "one ScaledObject for each way")
    check_examples()
    with tempfile.TemporaryDirectory(prefix="flintgauge-delivery-") as folder, Processes(folder) as processes:
        agents = Agents(processes, pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(folder))
        asked = check_all(agents, triggers)
        check_explained(agents.node.address)
        check_forms(agents)
        stale = check_stale(agents, triggers)
        gone = check_gone(agents, triggers)
    print(f"{len(agents.objects.apps)} applications, {len(agents.objects.pools)} cluster, {asked} questions, {stale} of them again while a "
          f"driver fails, {gone} without an agent")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
