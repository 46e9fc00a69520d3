"""Which captured files make one scrape of a node, which follow each other, and which stand alone."""
K = "kubelet/"
R35, R37, ON_KUBE = K + "real-v1.35.4/", K + "real-v1.37.2/", "spark-on-kube/"
JOINED = {  # name: (cadvisor page, pod list, summary)
    "1.28": (K + "cadvisor-k8s1.28.txt", K + "pods-k8s1.28.json", K + "stats-summary-k8s1.28.json"),
    "1.35": (K + "cadvisor-k8s1.35.txt", K + "pods-k8s1.35.json", K + "stats-summary-k8s1.35.json"),
    "1.35 trimmed": (K + "cadvisor-k8s1.35-trimmed.txt", K + "pods-k8s1.35.json", K + "stats-summary-k8s1.35.json"),
    "unlabelled": (R35 + "unlabelled-cadvisor.txt", R35 + "unlabelled-pods.json", R35 + "unlabelled-summary.json"),
}
for folder, numbers in ((R35, "123"), (R37, "123")):
    for n in numbers:
        JOINED[folder + n] = (f"{folder}cadvisor-{n}.txt", f"{folder}pods-{n}.json", f"{folder}summary-{n}.json")
for folder, kind in ((R35, "later"), (R37, "cri")):
    for n in "12":
        JOINED[f"{folder}{kind}-{n}"] = tuple(f"{folder}{kind}-{page}-{n}.{end}" for page, end in
                                              (("cadvisor", "txt"), ("pods", "json"), ("summary", "json")))
for moment in ("1-running", "2-after-kill", "3-quota-bound", "4-ended"):
    JOINED[ON_KUBE + moment] = tuple(ON_KUBE + moment + "/" + page for page in ("cadvisor.txt", "pods.json", "summary.json"))
SEQUENCES = [[R35 + n for n in "123"], [R35 + "later-1", R35 + "later-2"], [R37 + n for n in "123"], [R37 + "cri-1", R37 + "cri-2"],
             [ON_KUBE + m for m in ("1-running", "2-after-kill", "3-quota-bound", "4-ended")]]
LABELS_ONLY = [K + "cadvisor-k8s1.15-podname-labels.txt", K + "cadvisor-k8s1.16-docker-cgroupv1.txt",
               K + "cadvisor-standalone-prometheus_metrics.txt", K + "cadvisor-standalone-prometheus_machine_metrics.txt",
               K + "cadvisor-standalone-prometheus_metrics_failure.txt"]

RESOURCE = [(R35 + f"resource-{n}.txt", R35 + f"pods-{n}.json") for n in "123"]
RESOURCE += [(R37 + f"resource-{n}.txt", R37 + f"pods-{n}.json") for n in "123"]
RESOURCE += [(R35 + f"later-resource-{n}.txt", R35 + f"later-pods-{n}.json") for n in "12"]
RESOURCE += [(R37 + f"cri-resource-{n}.txt", R37 + f"cri-pods-{n}.json") for n in "12"]
RESOURCE += [(f"{ON_KUBE}{m}/resource.txt", f"{ON_KUBE}{m}/pods.json") for m in ("1-running", "2-after-kill", "3-quota-bound", "4-ended")]
RESOURCE += [(K + "metrics-resource-k8s1.35-derived.txt", K + "pods-k8s1.35.json"), (K + "metrics-resource-k8s1.22-kind.txt", None)]
PODS_ONLY = [K + f"pods-{n}.json" for n in ("empty", "newrelic-old", "otel-minimal", "telegraf")]
PODS_ONLY += [folder + "runningpods.json" for folder in (R35, R37)]
SUMMARY_ONLY = [K + f"stats-summary-{n}.json" for n in ("k8s1.31", "newrelic-old", "telegraf-old")]
SUMMARY_ONLY += [folder + "summary-only-cpu-and-memory.json" for folder in (R35, R37)]
# Pages of the kubelet that the agent does not ask for: all of it is skipped, all of it counted.
NOT_ASKED = [K + "metrics-probes-datadog.txt", R37 + "cri-metrics.txt"]
NOT_ASKED += [folder + page for folder in (R35, R37) for page in ("metrics.txt", "probes.txt", "slis.txt")]
SPARK = [(m, team) for m in ("1-running", "2-after-kill", "3-quota-bound") for team in ("team-a", "team-b")]
