#!/usr/bin/env python3
"""The shipped manifests keep their promises (manifest_rules.py), and each promise is one that can be broken: every
manifest is damaged in every way we could think of, and each damage must be refused."""
import copy
import pathlib
import unittest

import yaml

import manifest_rules as rules

DEPLOY = pathlib.Path(__file__).resolve().parent.parent.parent / "deploy" / "kustomize"
BASE = DEPLOY / "base"


def load(folder):
    """The objects of a kustomization and of those it builds on, the names of its generated ConfigMaps, the files read."""
    kustomization = yaml.safe_load((folder / "kustomization.yaml").read_text())
    docs, maps, files = [], set(), {folder / "kustomization.yaml"}
    for resource in kustomization.get("resources", []):
        path = (folder / resource).resolve()
        if path.is_dir():
            more = load(path)
            docs, maps, files = docs + more[0], maps | more[1], files | more[2]
        else:
            docs += [doc for doc in yaml.safe_load_all(path.read_text()) if doc]
            files.add(path)
    for generator in kustomization.get("configMapGenerator", []):
        maps.add(generator["name"])
        files |= {folder / name for name in generator.get("files", [])}
    for doc in docs:  # as the image transformer does
        for image in kustomization.get("images", []):
            for container in doc.get("spec", {}).get("template", {}).get("spec", {}).get("containers", []):
                if container["image"] == image["name"]:
                    container["image"] = f"{image['newName']}:{image['newTag']}"
    for patch in kustomization.get("patches", []):
        files.add(folder / patch["path"])
        target = next(doc for doc in docs if doc["kind"] == patch["target"]["kind"])
        for operation in operations(folder, patch):
            add(target, operation)
    return docs, maps, files


def operations(folder, patch):
    return yaml.safe_load((folder / patch["path"]).read_text())


def add(target, operation):
    """An operation "add" at the end of a list (RFC 6902)."""
    *steps, last = operation["path"].split("/")[1:]
    assert last == "-", operation
    for step in steps:
        target = target[int(step)] if isinstance(target, list) else target[step]
    target.append(copy.deepcopy(operation["value"]))


def config_of(folder):
    return yaml.safe_load((folder / "flintgauge.yaml").read_text())


def refusals(docs, maps):
    return list(rules.check_set(docs, maps))


def change(docs, kind, path, value):
    """A copy of docs in which the value at path (keys and indices) of the object of this kind is set, or removed (None)."""
    docs = copy.deepcopy(docs)
    target = next(doc for doc in docs if doc["kind"] == kind)
    for step in path[:-1]:
        if isinstance(target, dict) and step not in target:
            target[step] = {}
        target = target[step]
    if value is None:
        del target[path[-1]]
    elif isinstance(target, list) and path[-1] == len(target):
        target.append(value)
    else:
        target[path[-1]] = value
    return docs


POD = ("spec", "template", "spec")
BOX = POD + ("containers", 0)
DAMAGE = [
    ("ClusterRole", ("rules", 0, "verbs"), ["*"]),
    ("ClusterRole", ("rules", 0, "verbs"), ["get", "list"]),
    ("ClusterRole", ("rules", 0, "verbs"), ["create"]),
    ("ClusterRole", ("rules", 0, "resources"), ["*"]),
    ("ClusterRole", ("rules", 0, "resources"), ["nodes/*"]),
    ("ClusterRole", ("rules", 0, "resources"), []),
    ("ClusterRole", ("rules", 0, "resources", 3), "nodes/proxy"),
    ("ClusterRole", ("rules", 0, "resources", 3), "secrets"),
    ("ClusterRole", ("rules", 0, "resources", 3), "nodes"),
    ("ClusterRole", ("rules", 0, "resources", 3), "pods/exec"),
    ("ClusterRole", ("rules", 0, "apiGroups"), ["*"]),
    ("ClusterRole", ("rules", 0, "apiGroups"), ["", "rbac.authorization.k8s.io"]),
    ("ClusterRole", ("rules", 0, "nonResourceURLs"), ["/metrics"]),
    ("ClusterRole", ("rules", 1), {"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]}),
    ("ClusterRole", ("rules", 1), {"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list", "watch"]}),
    ("ClusterRole", ("rules", 1), {"apiGroups": ["apps"], "resources": ["daemonsets"], "verbs": ["get"]}),
    ("ClusterRole", ("aggregationRule",), {"clusterRoleSelectors": []}),
    ("ClusterRoleBinding", ("roleRef", "name"), "cluster-admin"),
    ("ClusterRoleBinding", ("subjects", 0, "name"), "default"),
    ("ClusterRoleBinding", ("subjects", 0, "kind"), "Group"),
    ("ClusterRoleBinding", ("subjects", 1), {"kind": "Group", "name": "system:authenticated"}),
    ("Namespace", ("metadata", "labels", "pod-security.kubernetes.io/enforce"), "baseline"),
    ("Namespace", ("metadata", "labels", "pod-security.kubernetes.io/enforce"), None),
    ("Namespace", ("metadata", "labels", "pod-security.kubernetes.io/audit"), None),
    ("Namespace", ("metadata", "labels", "pod-security.kubernetes.io/warn"), "privileged"),
    ("ServiceAccount", ("kind",), "Secret"),
    ("ServiceAccount", ("secrets",), [{"name": "token"}]),
    ("DaemonSet", POD + ("hostNetwork",), True),
    ("DaemonSet", POD + ("hostPID",), True),
    ("DaemonSet", POD + ("hostIPC",), True),
    ("DaemonSet", POD + ("serviceAccountName",), "default"),
    ("DaemonSet", POD + ("initContainers",), [{"name": "a", "image": "b:1"}]),
    ("DaemonSet", POD + ("containers", 1), {"name": "a", "image": "b:1"}),
    ("DaemonSet", POD + ("volumes", 1), {"name": "sys", "hostPath": {"path": "/sys/fs/cgroup"}}),
    ("DaemonSet", POD + ("volumes", 1), {"name": "s", "secret": {"secretName": "x"}}),
    ("DaemonSet", POD + ("volumes", 1), {"name": "nfs", "nfs": {"server": "a", "path": "/"}}),
    ("DaemonSet", POD + ("volumes", 1), {"name": "scratch", "emptyDir": {}}),
    ("DaemonSet", POD + ("volumes", 1), {"name": "p", "projected": {"sources": [{"secret": {"name": "x"}}]}}),
    ("DaemonSet", POD + ("volumes", 0, "configMap", "name"), "other"),
    ("DaemonSet", POD + ("securityContext", "runAsUser"), 0),
    ("DaemonSet", POD + ("securityContext", "runAsNonRoot"), False),
    ("DaemonSet", POD + ("securityContext", "seccompProfile", "type"), "Unconfined"),
    ("DaemonSet", POD + ("securityContext", "sysctls"), [{"name": "kernel.shm_rmid_forced", "value": "0"}]),
    ("DaemonSet", POD + ("securityContext", "seLinuxOptions"), {"type": "spc_t"}),
    ("DaemonSet", BOX + ("securityContext", "privileged"), True),
    ("DaemonSet", BOX + ("securityContext", "runAsUser"), 0),
    ("DaemonSet", BOX + ("securityContext", "procMount"), "Unmasked"),
    ("DaemonSet", BOX + ("securityContext", "allowPrivilegeEscalation"), True),
    ("DaemonSet", BOX + ("securityContext", "readOnlyRootFilesystem"), False),
    ("DaemonSet", BOX + ("securityContext", "capabilities", "add"), ["SYS_PTRACE"]),
    ("DaemonSet", BOX + ("securityContext", "capabilities", "drop"), ["NET_RAW"]),
    ("DaemonSet", BOX + ("securityContext", "seccompProfile"), {"type": "Unconfined"}),
    ("DaemonSet", BOX + ("image",), "flintgauge:latest"),
    ("DaemonSet", BOX + ("image",), "registry.example:5000/flintgauge"),
    ("DaemonSet", BOX + ("command",), ["sh"]),
    ("DaemonSet", BOX + ("lifecycle",), {"preStop": {"exec": {"command": ["sh"]}}}),
    ("DaemonSet", BOX + ("envFrom",), [{"secretRef": {"name": "x"}}]),
    ("DaemonSet", BOX + ("env", 2), {"name": "T", "valueFrom": {"secretKeyRef": {"name": "x", "key": "y"}}}),
    ("DaemonSet", BOX + ("env", 0, "valueFrom"), None),
    ("DaemonSet", BOX + ("env", 1, "valueFrom", "fieldRef", "fieldPath"), "status.podIP"),
    ("DaemonSet", BOX + ("ports", 0, "hostPort"), 14040),
    ("DaemonSet", BOX + ("ports", 0, "containerPort"), 80),
    ("DaemonSet", BOX + ("livenessProbe", "httpGet", "path"), "/metrics"),
    ("DaemonSet", BOX + ("readinessProbe", "httpGet", "host"), "10.0.0.1"),
    ("DaemonSet", BOX + ("volumeMounts", 0, "readOnly"), False),
    ("DaemonSet", BOX + ("volumeMounts", 0, "mountPropagation"), "Bidirectional"),
    ("DaemonSet", BOX + ("volumeMounts", 0, "name"), "other"),
    ("DaemonSet", BOX + ("resources", "limits", "memory"), None),
    ("DaemonSet", BOX + ("resources", "requests", "memory"), None),
    ("DaemonSet", ("spec", "template", "metadata", "labels", "app.kubernetes.io/name"), "other"),
    ("Service", ("spec", "clusterIP"), None),
    ("Service", ("spec", "type"), "LoadBalancer"),
    ("Service", ("spec", "externalIPs"), ["192.0.2.1"]),
    ("Service", ("spec", "selector", "app.kubernetes.io/component"), "hub"),
    ("Service", ("spec", "ports", 0, "targetPort"), 14041),
    ("Service", ("metadata", "annotations", "prometheus.io/port"), "9090"),
]


# Damage to the overlays that have a volume.
HISTORY_DAMAGE = [
    ("DaemonSet", POD + ("volumes", 1), {"name": "history", "hostPath": {"path": "/var/lib/flintgauge", "type": "DirectoryOrCreate"}}),
    ("DaemonSet", POD + ("volumes", 1), {"name": "history", "emptyDir": {}}),
    ("DaemonSet", POD + ("volumes", 1), {"name": "history", "emptyDir": {"sizeLimit": "32Mi", "medium": "Memory"}}),
    ("DaemonSet", POD + ("volumes", 1), {"name": "history", "persistentVolumeClaim": {"claimName": "other"}}),
    ("DaemonSet", POD + ("volumes", 1), {"name": "history", "configMap": {"name": "flintgauge"}}),
    ("DaemonSet", BOX + ("volumeMounts", 1, "mountPath"), "/"),
    ("DaemonSet", BOX + ("volumeMounts", 1, "mountPath"), "/etc/flintgauge"),
    ("DaemonSet", BOX + ("volumeMounts", 1, "mountPropagation"), "Bidirectional"),
    ("DaemonSet", BOX + ("volumeMounts", 0, "readOnly"), False),
]
CLAIM_DAMAGE = [
    ("PersistentVolumeClaim", ("spec", "accessModes"), ["ReadWriteOnce"]),
    ("PersistentVolumeClaim", ("spec", "resources", "requests", "storage"), None),
    ("PersistentVolumeClaim", ("spec", "volumeName"), "somebody-elses"),
    ("PersistentVolumeClaim", ("metadata", "name"), "other"),
]


class Manifests(unittest.TestCase):
    def test_shipped_manifests_are_accepted(self):
        for kustomization in sorted(DEPLOY.rglob("kustomization.yaml")):
            with self.subTest(kustomization.parent.name):
                docs, maps, _ = load(kustomization.parent)
                self.assertEqual(refusals(docs, maps), [])
                document = yaml.safe_load(kustomization.read_text())
                self.assertEqual(list(rules.check_kustomization(document)), [])
                for patch in document.get("patches", []):
                    self.assertEqual(list(rules.check_patch(operations(kustomization.parent, patch))), [])
                self.assertEqual(list(rules.check_history(config_of(kustomization.parent), docs)), [])

    def test_every_file_is_looked_at(self):
        seen = set()
        for kustomization in DEPLOY.rglob("kustomization.yaml"):
            seen |= load(kustomization.parent)[2]
        self.assertEqual({path for path in DEPLOY.rglob("*") if path.is_file()}, {path.resolve() for path in seen})

    def test_every_damage_is_refused(self):
        docs, maps, _ = load(BASE)
        for kind, path, value in DAMAGE:
            with self.subTest(f"{kind} {path} = {value}"):
                self.assertNotEqual(refusals(change(docs, kind, path, value), maps), [])

    def test_every_damage_to_a_history_is_refused(self):
        for overlay, damage in (("history", HISTORY_DAMAGE), ("history-shared", HISTORY_DAMAGE[:3] + HISTORY_DAMAGE[4:] + CLAIM_DAMAGE)):
            docs, maps, _ = load(DEPLOY / "overlays" / overlay)
            for kind, path, value in damage:
                with self.subTest(f"{overlay}: {kind} {path} = {value}"):
                    broken = change(docs, kind, path, value)
                    found = refusals(broken, maps) + list(rules.check_history(config_of(DEPLOY / "overlays" / overlay), broken))
                    self.assertNotEqual(found, [])

    def test_a_history_needs_its_volume_and_a_volume_its_history(self):
        base, history, shared = (load(folder)[0] for folder in (BASE, DEPLOY / "overlays/history", DEPLOY / "overlays/history-shared"))
        for docs, file in ((base, "/var/lib/flintgauge/history"), (history, ""), (history, "/tmp/history"), (history, "/var/lib/flintgauge"),
                           (shared, "/var/lib/flintgauge/history")):
            with self.subTest(file):
                self.assertNotEqual(list(rules.check_history({"history": {"file": file}}, docs)), [])

    def test_a_patch_can_only_add_volumes(self):
        for path, op in (("/spec/template/spec/hostNetwork", "add"), ("/spec/template/spec/volumes/0", "add"),
                         ("/spec/template/spec/volumes/-", "replace"), ("/spec/template/spec/containers/-", "add")):
            with self.subTest(f"{op} {path}"):
                self.assertNotEqual(list(rules.check_patch([{"op": op, "path": path, "value": {}}])), [])

    def test_every_object_is_needed(self):
        docs, maps, _ = load(BASE)
        for i, doc in enumerate(docs):
            with self.subTest(doc["kind"]):
                self.assertNotEqual(refusals(docs[:i] + docs[i + 1:], maps), [])

    def test_no_line_of_a_security_context_can_go(self):
        docs, maps, _ = load(BASE)
        for where in (POD, BOX):
            context = next(doc for doc in docs if doc["kind"] == "DaemonSet")
            for step in where + ("securityContext",):
                context = context[step]
            for key in context:
                with self.subTest(f"{where[-1]}: {key}"):
                    self.assertNotEqual(refusals(change(docs, "DaemonSet", where + ("securityContext", key), None), maps), [])

    def test_objects_of_other_kinds_are_refused(self):
        docs, maps, _ = load(BASE)
        for kind in ("Secret", "Role", "PodSecurityPolicy", "ValidatingWebhookConfiguration", "Deployment"):
            with self.subTest(kind):
                extra = {"kind": kind, "metadata": {"name": "x"}}
                self.assertNotEqual(refusals(docs + [extra], maps), [])

    def test_kustomization_cannot_bring_in_what_is_not_checked(self):
        for extra in ({"patches": [{"patch": "inline", "target": rules.PATCHED}]}, {"patches": [{"path": "x.yaml"}]},
                      {"patches": [{"path": "../x.yaml", "target": rules.PATCHED}]}, {"secretGenerator": []}, {"helmCharts": []}, {"components": ["x"]},
                      {"resources": ["https://example.com/x.yaml"]}):
            with self.subTest(str(extra)):
                self.assertNotEqual(list(rules.check_kustomization({"kind": "Kustomization", **extra})), [])


if __name__ == "__main__":
    unittest.main()
