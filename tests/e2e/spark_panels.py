"""A real Prometheus scrapes the agent while Spark and the tools beside it work; which panels of a dashboard have data."""
import importlib.util
import json
import time

import spark_node
import yaml
from spark_run import ROOT, free_port, get

from processes import Processes
from prometheus_api import Prometheus

STEP = 2  # seconds
# What no process on loopback can have.
ABSENT = {"flintgauge_app_cpu_limits_cores": "the pods have no CPU limit", "flintgauge_app_cpu_cfs_periods_total": "the pods have no CPU limit",
          "flintgauge_app_network_receive_bytes_total": "loopback is no pod's network",
          "flintgauge_app_network_transmit_bytes_total": "loopback is no pod's network",
          "flintgauge_app_ephemeral_storage_usage_bytes": "no container, so no writable layer"}
spec = importlib.util.spec_from_file_location("prometheus_test", ROOT / "tests/integration/prometheus_test.py")
prometheus_test = importlib.util.module_from_spec(spec)
spec.loader.exec_module(prometheus_test)


class Panels:
    def __init__(self, folder, port, board="application", absent=ABSENT, family=""):
        """Of a dashboard's queries those that name a family which begins so; `absent`: {family: why it cannot have data}."""
        self.folder, self.port, self.absent, self.processes = folder, port, absent, Processes(folder)
        self.file = f"dashboards/{board}.json"
        panels = prometheus_test.check.panels_of(json.loads((ROOT / self.file).read_text()))
        self.targets = [(panel["title"], target) for panel in panels for target in panel["targets"] if family in target["expr"]]
        self.empty = None  # {(panel, query): why} of those that never had data; None before the first look

    def __enter__(self):
        config = {"global": {"scrape_interval": f"{STEP}s", "scrape_timeout": f"{STEP}s", "evaluation_interval": f"{STEP}s"},
                  "rule_files": [str(ROOT / "dashboards/rules/recording.yaml")],
                  "scrape_configs": [{"job_name": "flintgauge", "static_configs": [{"targets": [f"127.0.0.1:{self.port}"]}]}]}
        file = self.folder / "prometheus.yaml"
        file.write_text(yaml.safe_dump(config))
        address = f"127.0.0.1:{free_port()}"
        process = self.processes.start("prometheus", "prometheus", f"--config.file={file}", f"--storage.tsdb.path={self.folder / 'data'}",
                                       f"--web.listen-address={address}")
        self.processes.wait_for(process, "never ready", lambda: get(f"http://{address}/-/ready"))
        self.prometheus = Prometheus(f"http://{address}")
        return self

    def __exit__(self, *ended):
        self.processes.close()

    def look(self, app_id=""):
        """Asks every query for this application; no application does everything, so one answer in any run is enough."""
        variables = {"job": "flintgauge", "cluster": ".*", "__rate_interval": "20s", "namespace": spark_node.NAMESPACE, "application": app_id}
        now, still = time.time(), {}
        for title, target in self.targets:
            key = (title, target["refId"])
            if self.empty is not None and key not in self.empty:
                continue
            why = prometheus_test.panel_answer(self.prometheus, target, variables, now)
            if why is not None:
                still[key] = why
        self.empty = still

    def report(self, has_all):
        """Prints what had no data. Returns what must have had some: all but ABSENT, when every workload was run."""
        if self.empty is None:
            return []
        wrong = []
        print(f"\nPanels of {self.file}: {len(self.targets) - len(self.empty)} of {len(self.targets)} queries had data"
              + (", without:" if self.empty else ""))
        for (title, query), why in self.empty.items():
            known = next((reason for family, reason in self.absent.items() if family + "{" in why), None)
            print(f"  {title} {query}: {known or why}")
            if has_all and known is None:
                wrong.append(f"panel '{title}' {query}: {why}")
        return wrong
