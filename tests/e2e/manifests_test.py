#!/usr/bin/env python3
"""deploy/ against schemas that refuse unknown keys.   manifests_test.py DIRECTORY_OF_THE_KEDA_MODULE"""
import copy
import json
import pathlib
import sys
import unittest

import jsonschema
import kubernetes_validate
import yaml

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
KUBERNETES = ("1.28", "1.35")  # the oldest whose kubelet the agent is tested with, and the newest
KEDA = None


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
    KEDA = pathlib.Path(sys.argv.pop(1))
    unittest.main(verbosity=2)
