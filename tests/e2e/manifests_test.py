#!/usr/bin/env python3
"""deploy/ against schemas that refuse unknown keys.   manifests_test.py DIRECTORY_OF_THE_KEDA_MODULE KUSTOMIZE"""
import copy
import json
import pathlib
import subprocess
import sys
import unittest

import jsonschema
import kubernetes_validate
import yaml

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
KUBERNETES = ("1.28", "1.35")  # the oldest whose kubelet the agent is tested with, and the newest
KEDA = KUSTOMIZE = None

sys.path[:0] = [str(ROOT / "tests/deploy")]
import manifest_rules  # noqa: E402
import manifests_test as simple  # noqa: E402  the test of the same name there, which renders kustomizations itself


def documents():
    """(file, document) of every object in deploy/; kustomization.yaml is kustomize's own and no object of a cluster."""
    for path in sorted((ROOT / "deploy").rglob("*.yaml")):
        for document in yaml.safe_load_all(path.read_text()):
            if isinstance(document, dict) and "kind" in document and document["kind"] != "Kustomization":
                yield str(path.relative_to(ROOT)), document


def closed(schema):
    """The schema with every object closed to keys that it does not name, as a server with strict field validation is."""
    if isinstance(schema, list):
        return [closed(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    out = {key: closed(value) for key, value in schema.items()}
    if "properties" in out and not out.get("x-kubernetes-preserve-unknown-fields"):
        out.setdefault("additionalProperties", False)
    if out.get("x-kubernetes-int-or-string"):
        out.pop("anyOf", None)
        out["type"] = ["integer", "string"]
    return out


def pod_of(documents_):
    return copy.deepcopy(next(d for d in documents_ if d["kind"] == "DaemonSet")["spec"]["template"]["spec"])


def keda_schemas():
    out = {}
    for path in (KEDA / "config/crd/bases").glob("keda.sh_*.yaml"):
        definition = yaml.safe_load(path.read_text())
        for version in definition["spec"]["versions"]:
            schema = closed(version["schema"]["openAPIV3Schema"])
            schema["properties"]["metadata"] = {"type": "object"}
            out[f"{definition['spec']['group']}/{version['name']}", definition["spec"]["names"]["kind"]] = schema
    return out


def trigger_parameters():
    """{trigger type: {parameter: may it be absent}} as KEDA's own generated list has it."""
    scalers = json.loads((KEDA / "schema/generated/scalers-schema.json").read_text())["scalers"]
    return {scaler["type"]: {p["name"]: p.get("optional", False) or "default" in p for p in scaler["parameters"]} for scaler in scalers}


class Manifests(unittest.TestCase):
    def test_every_file_was_looked_at(self):
        self.assertGreaterEqual(len({file for file, _ in documents()}), 8)

    def test_objects_of_kubernetes_itself(self):
        for file, document in documents():
            if document["apiVersion"].startswith("keda.sh"):
                continue
            for version in KUBERNETES:
                with self.subTest(file=file, kind=document["kind"], kubernetes=version):
                    kubernetes_validate.validate(document, version, strict=True)

    def test_what_kustomize_builds(self):
        folders = sorted(file.parent for file in (ROOT / "deploy").rglob("kustomization.yaml"))
        self.assertGreaterEqual(len(folders), 4)
        for folder in folders:
            with self.subTest(folder.name):
                text = subprocess.run([KUSTOMIZE, "build", folder], check=True, capture_output=True, text=True).stdout
                built = [document for document in yaml.safe_load_all(text) if document]
                for document in built:
                    for version in KUBERNETES:
                        kubernetes_validate.validate(document, version, strict=True)
                maps = {document["metadata"]["name"] for document in built if document["kind"] == "ConfigMap"}
                self.assertEqual([], list(manifest_rules.check_set(built, maps)))
                # What the quick test reads instead of this is the same pod, but for the hash in the name of the configuration.
                ours = pod_of(simple.load(folder)[0])
                ours["volumes"][0]["configMap"]["name"], = maps
                self.assertEqual(pod_of(built), ours)

    def test_a_misspelt_key_is_refused(self):
        daemon_set = next(d for _, d in documents() if d["kind"] == "DaemonSet")
        broken = copy.deepcopy(daemon_set)
        broken["spec"]["template"]["spec"]["containers"][0]["resurces"] = {}
        with self.assertRaises(kubernetes_validate.ValidationError):
            kubernetes_validate.validate(broken, KUBERNETES[-1], strict=True)

    def test_objects_of_keda(self):
        schemas, seen = keda_schemas(), 0
        for file, document in documents():
            if not document["apiVersion"].startswith("keda.sh"):
                continue
            seen += 1
            schema = schemas[document["apiVersion"], document["kind"]]
            with self.subTest(file=file, kind=document["kind"]):
                jsonschema.validate(document, schema)
                broken = copy.deepcopy(document)
                broken["spec"]["no_such_key"] = 1
                with self.assertRaises(jsonschema.ValidationError):
                    jsonschema.validate(broken, schema)
        self.assertGreater(seen, 0)

    def test_triggers_say_what_keda_understands(self):
        parameters, seen = trigger_parameters(), 0
        for file, document in documents():
            for trigger in document.get("spec", {}).get("triggers", []) if document["kind"] in ("ScaledObject", "ScaledJob") else []:
                seen += 1
                known = parameters[trigger["type"]]
                with self.subTest(file=file, trigger=trigger["type"]):
                    self.assertEqual(set(), set(trigger["metadata"]) - set(known))
                    self.assertEqual(set(), {name for name, absent in known.items() if not absent} - set(trigger["metadata"]))
                    self.assertNotIn("serverAdress", known)  # the misspelling that the resource definition lets pass
        self.assertGreater(seen, 0)


if __name__ == "__main__":
    KEDA, KUSTOMIZE = pathlib.Path(sys.argv.pop(1)), sys.argv.pop(1)
    unittest.main(verbosity=2)
