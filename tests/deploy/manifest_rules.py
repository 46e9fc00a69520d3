"""What the shipped manifests may hold. Each function takes parsed YAML and yields one sentence per thing it refuses.

Pod Security "restricted": https://kubernetes.io/docs/concepts/security/pod-security-standards/ ; on top of it our own rules
(read-only root, memory limit, no secret of any kind, only three kubelet subresources).
"""
KUBELET_READS = {"nodes/metrics", "nodes/stats", "nodes/pods"}
KINDS = {"Namespace", "ServiceAccount", "ClusterRole", "ClusterRoleBinding", "ConfigMap", "DaemonSet", "Service"}
OPTIONAL_KINDS = {"PersistentVolumeClaim"}  # overlays only
VOLUMES = {"configMap", "downwardAPI", "emptyDir", "projected", "persistentVolumeClaim"}
WRITABLE = {"emptyDir", "persistentVolumeClaim"}
STATE = "/var/lib/flintgauge"  # the only folder that may be written
KUSTOMIZATION_KEYS = {"apiVersion", "kind", "namespace", "labels", "resources", "configMapGenerator", "images", "patches"}
PATCHED = {"kind": "DaemonSet", "name": "flintgauge"}
PATCH_PATHS = {"/spec/template/spec/volumes/-", "/spec/template/spec/containers/0/volumeMounts/-"}
SECCOMP = {"RuntimeDefault", "Localhost"}
NODE_NAME, HOST_IP = "spec.nodeName", "status.hostIP"


def check_kustomization(doc):
    for key in sorted(set(doc) - KUSTOMIZATION_KEYS):
        yield f"kustomization: {key} is not known to this test"
    for resource in doc.get("resources", []):
        if "://" in resource or resource.startswith("/"):
            yield f"kustomization: resource {resource} is not a file of this folder"
    for patch in doc.get("patches", []):
        if set(patch) != {"path", "target"} or "/" in patch["path"] or patch["target"] != PATCHED:
            yield f"kustomization: patch {patch} is not a file of this folder for the DaemonSet"


def check_patch(operations):
    """A patch that is read as RFC 6902 has it: it may add volumes and mounts, which are then looked at like all others."""
    for operation in operations:
        if set(operation) != {"op", "path", "value"} or operation["op"] != "add" or operation["path"] not in PATCH_PATHS:
            yield f"patch: {operation}"


def strings(value):
    if isinstance(value, dict):
        for key, inner in value.items():
            yield str(key)
            yield from strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from strings(inner)
    else:
        yield str(value)


def check_any(doc):
    """Rules for every object, whatever its kind."""
    if doc.get("kind") not in KINDS | OPTIONAL_KINDS:
        yield f"kind {doc.get('kind')} is not expected"
    for text in strings(doc):
        if "*" in text:
            yield f"wildcard: {text}"
        if text.lower() in ("secret", "secrets", "secretkeyref", "secretref", "secretname"):
            yield f"secret: {text}"
        if text.startswith("nodes/proxy"):
            yield "nodes/proxy allows exec in any container"


def check_namespace(doc):
    labels = doc["metadata"].get("labels", {})
    for mode in ("enforce", "audit", "warn"):
        if labels.get(f"pod-security.kubernetes.io/{mode}") != "restricted":
            yield f"namespace: pod security {mode} is not restricted"


def check_role(doc):
    for rule in doc.get("rules") or [{}]:
        if rule.get("apiGroups") != [""]:
            yield "role: only the core group"
        if not set(rule.get("resources", [])) or not set(rule.get("resources", [])) <= KUBELET_READS:
            yield f"role: resources {rule.get('resources')}"
        if rule.get("verbs") != ["get"]:
            yield f"role: verbs {rule.get('verbs')}, only get"
        if set(rule) - {"apiGroups", "resources", "verbs"}:
            yield "role: nothing but apiGroups, resources, verbs"
    if "aggregationRule" in doc:
        yield "role: aggregation takes rules from elsewhere"


def check_binding(doc):
    if (doc["roleRef"].get("kind"), doc["roleRef"].get("name")) != ("ClusterRole", "flintgauge"):
        yield f"binding: role {doc['roleRef']}"
    if doc.get("subjects") != [{"kind": "ServiceAccount", "name": "flintgauge", "namespace": "flintgauge"}]:
        yield f"binding: subjects {doc.get('subjects')}"


def check_pod(pod):
    for key in ("hostNetwork", "hostPID", "hostIPC", "shareProcessNamespace"):
        if pod.get(key):
            yield f"pod: {key}"
    if pod.get("serviceAccountName") != "flintgauge":
        yield "pod: service account"
    if "initContainers" in pod or "ephemeralContainers" in pod or len(pod.get("containers", [])) != 1:
        yield "pod: exactly one container"
    for volume in pod.get("volumes", []):
        kinds = set(volume) - {"name"}
        if len(kinds) != 1 or not kinds <= VOLUMES:
            yield f"pod: volume {volume.get('name')} of kind {sorted(kinds)}"
        if "emptyDir" in volume and set(volume["emptyDir"] or {}) != {"sizeLimit"}:  # medium Memory would count as the agent's
            yield f"pod: emptyDir {volume.get('name')} without sizeLimit, or with more"
    yield from check_security_context(pod.get("securityContext", {}), "pod")
    for container in pod.get("containers", []):
        yield from check_container(container, {volume["name"]: volume for volume in pod.get("volumes", [])})


def check_security_context(context, where):
    if context.get("runAsNonRoot") is not True:
        yield f"{where}: runAsNonRoot is not true"
    if where == "pod":
        for key in ("runAsUser", "runAsGroup", "fsGroup"):
            if not isinstance(context.get(key), int) or context[key] == 0:
                yield f"pod: {key} is not a number above 0"
        if context.get("seccompProfile", {}).get("type") not in SECCOMP:
            yield "pod: seccompProfile"
    else:
        if context.get("allowPrivilegeEscalation") is not False:
            yield "container: allowPrivilegeEscalation is not false"
        if context.get("readOnlyRootFilesystem") is not True:
            yield "container: readOnlyRootFilesystem is not true"
        if context.get("capabilities") != {"drop": ["ALL"]}:
            yield "container: capabilities are not exactly drop ALL"
        if "seccompProfile" in context and context["seccompProfile"].get("type") not in SECCOMP:
            yield "container: seccompProfile"
        if context.get("runAsUser", 1) == 0:
            yield "container: runAsUser 0"
    for key in ("privileged", "procMount", "sysctls", "seLinuxOptions", "windowsOptions", "appArmorProfile"):
        if key in context:
            yield f"{where}: {key}"


def check_container(container, volumes):
    yield from check_security_context(container.get("securityContext", {}), "container")
    if "memory" not in container.get("resources", {}).get("limits", {}):
        yield "container: no memory limit"
    if "memory" not in container.get("resources", {}).get("requests", {}):
        yield "container: no memory request"
    if "envFrom" in container or "lifecycle" in container or "command" in container:
        yield "container: envFrom, lifecycle or command"
    image = container.get("image", "")
    if ":" not in image.split("/")[-1] or image.endswith(":latest"):
        yield f"container: image {image!r}"
    ports = {port.get("name"): port for port in container.get("ports", [])}
    if any("hostPort" in port or "hostIP" in port for port in ports.values()):
        yield "container: host port"
    if ports.get("http", {}).get("containerPort") != 14040:
        yield "container: port http is not 14040"
    for probe, path in (("livenessProbe", "/-/healthy"), ("readinessProbe", "/-/ready")):
        get = container.get(probe, {}).get("httpGet", {})
        if get.get("path") != path or get.get("port") != "http" or "host" in get:
            yield f"container: {probe} is not {path} on http"
    env = {entry["name"]: entry.get("valueFrom", {}).get("fieldRef", {}).get("fieldPath") for entry in container.get("env", [])}
    if env.get("NODE_NAME") != NODE_NAME or env.get("HOST_IP") != HOST_IP:
        yield "container: NODE_NAME or HOST_IP is not from the downward API"
    for mount in container.get("volumeMounts", []):
        if mount["name"] not in volumes or "mountPropagation" in mount:
            yield f"container: mount {mount['name']}"
        elif mount.get("readOnly") is not True and (mount["mountPath"] != STATE or not WRITABLE & set(volumes[mount["name"]])):
            yield f"container: mount {mount['name']} may be written"


def check_daemonset(doc):
    template = doc["spec"]["template"]
    if not selects(doc["spec"]["selector"]["matchLabels"], template["metadata"]["labels"]):
        yield "daemonset: the selector does not match the pods"
    yield from check_pod(template["spec"])


def check_service(doc):
    if doc["spec"].get("clusterIP") != "None" or doc["spec"].get("type", "ClusterIP") != "ClusterIP" or "externalIPs" in doc["spec"]:
        yield "service: not headless"
    if [port.get("targetPort") for port in doc["spec"].get("ports", [])] != ["http"]:
        yield "service: port"
    notes = doc["metadata"].get("annotations", {})
    if notes.get("prometheus.io/port") != str(doc["spec"]["ports"][0].get("port")) or notes.get("prometheus.io/path") != "/metrics":
        yield "service: the annotations do not name the port and path served"


def check_claim(doc):
    spec = doc["spec"]
    if spec.get("accessModes") != ["ReadWriteMany"]:
        yield "claim: the agents of all nodes share it"
    if set(spec) - {"accessModes", "resources", "storageClassName"} or not spec.get("resources", {}).get("requests", {}).get("storage"):
        yield "claim: storage"


def check_history(config, docs):
    """The file in which the history is kept is on a volume, and a volume is there for nothing else."""
    pod = next(doc for doc in docs if doc.get("kind") == "DaemonSet")["spec"]["template"]["spec"]
    volumes = {volume["name"]: volume for volume in pod.get("volumes", [])}
    writable = [m for m in pod["containers"][0].get("volumeMounts", []) if WRITABLE & set(volumes.get(m["name"], {}))]
    file = (config.get("history") or {}).get("file") or ""
    if bool(file) != bool(writable) or file and not file.startswith(STATE + "/"):
        yield f"history.file is {file!r}, what can be written is {[mount['mountPath'] for mount in writable]}"
    if any("persistentVolumeClaim" in volume for volume in volumes.values()) and file != STATE + "/$NODE_NAME":
        yield "history.file: nodes that share a volume need a file each"


def selects(selector, labels):
    return bool(selector) and selector.items() <= labels.items()


def check_set(docs, config_maps):
    """Every object alone, then whether they fit each other. `config_maps`: names that a generator makes."""
    by_kind = {
        "Namespace": check_namespace, "ClusterRole": check_role, "ClusterRoleBinding": check_binding,
        "DaemonSet": check_daemonset, "Service": check_service, "PersistentVolumeClaim": check_claim,
    }
    for doc in docs:
        yield from check_any(doc)
        if doc.get("kind") in by_kind:
            yield from by_kind[doc["kind"]](doc)
    found = {doc.get("kind"): doc for doc in docs}
    for kind in sorted(KINDS - {"ConfigMap"} - set(found)):
        yield f"no {kind}"
    if "DaemonSet" in found and "Service" in found:
        template = found["DaemonSet"]["spec"]["template"]
        if not selects(found["Service"]["spec"].get("selector", {}), template["metadata"]["labels"]):
            yield "the service does not select the agents"
        for volume in template["spec"].get("volumes", []):
            claim = volume.get("persistentVolumeClaim", {}).get("claimName")
            if "persistentVolumeClaim" in volume and claim not in {d["metadata"]["name"] for d in docs if d["kind"] == "PersistentVolumeClaim"}:
                yield f"volume {volume['name']}: nobody makes the claim {claim}"
            if "configMap" in volume and volume["configMap"].get("name") not in config_maps:
                yield f"volume {volume['name']}: nobody makes the ConfigMap {volume['configMap'].get('name')}"
