#!/usr/bin/env python3
"""The program from outside: commands, exit codes, messages, signals. usage: program_test.py FLINTGAUGE [TEST...]"""
import http.client
import json
import os
import random
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import urllib.request

PROGRAM = sys.argv.pop(1)
STOP_SECONDS = 5


def run(*arguments, env=None, stdin=None):
    return subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, timeout=60,
                          env={**os.environ, **(env or {})}, input=stdin)


def without(*names):
    return {key: value for key, value in os.environ.items() if key not in names}


class Running:
    """The program in the background; every line of its stderr and stdout is kept."""

    def __init__(self, *arguments):
        self.process = subprocess.Popen([PROGRAM, *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.lines = []
        self.reader = threading.Thread(target=self._read)
        self.reader.start()

    def _read(self):
        for line in self.process.stdout:
            self.lines.append(line)

    def output(self):
        return "".join(self.lines)

    def address(self):
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline and self.process.poll() is None:
            found = re.search(r'msg=serving address=(\S+)|Page for people +http://([^/\s]+)/', self.output())
            if found:
                return found[1] or found[2]
            time.sleep(0.02)
        raise AssertionError("does not serve:\n" + self.output())

    def stop(self, number=signal.SIGTERM):
        """Exit code and seconds."""
        start = time.monotonic()
        self.process.send_signal(number)
        try:
            code = self.process.wait(timeout=30)
        finally:
            self.process.kill()
        seconds = time.monotonic() - start
        self.reader.join()
        self.process.stdout.close()
        return code, seconds


def get(address, path, **headers):
    """Status, headers and body."""
    request = urllib.request.Request(f"http://{address}{path}", headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, refused.headers, refused.read()


def wait_ready(address):
    deadline = time.monotonic() + 30
    while get(address, "/-/ready")[0] != 200:
        assert time.monotonic() < deadline, "not ready"
        time.sleep(0.05)


def reader_of_nothing(address):
    """A connection that asks for page after page and reads none, until the program is stuck in sending to it."""
    host, port = address.split(":")
    peer = socket.socket()
    for option in (socket.SO_RCVBUF, socket.SO_SNDBUF):
        peer.setsockopt(socket.SOL_SOCKET, option, 4096)
    peer.settimeout(0.5)
    peer.connect((host, int(port)))
    try:
        for _ in range(100_000):
            peer.sendall(b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n")
    except socket.timeout:
        return peer  # it reads no further request: the answers before do not go away
    raise AssertionError("the program swallows answers that nobody reads")


NODE = ("node", "--set", "node.name=n", "--set", "kubelet.url=http://127.0.0.1:9", "--set", "kubelet.token_file=",
        "--set", "web.listen_address=127.0.0.1:0", "--set", "kubelet.interval=200ms")


class Usage(unittest.TestCase):
    def test_help_and_version(self):
        for arguments in (["--help"], ["node", "--help"], ["demo", "-h"], ["--version"]):
            result = run(*arguments)
            self.assertEqual((result.returncode, result.stderr), (0, ""), arguments)
            self.assertIn("flintgauge", result.stdout)
        self.assertRegex(run("--version").stdout, r"^flintgauge, version \d+\.\d+\.\d+\n  revision: \w+\n  compiler: ")
        for command in ("node", "demo", "once", "check-config", "print-config", "completion"):
            self.assertIn(command, run("--help").stdout)
        self.assertIn("kubelet.summary_interval", run("node", "--help").stdout)

    def test_wrong_usage_is_2(self):
        for arguments in ([], ["nonsense"], ["node", "--nonsense"], ["check-config"], ["completion", "tcsh"],
                          ["completion"], ["demo", "--seconds", "0"], ["demo", "--seconds", "x"], ["node", "stray"],
                          ["node", "--set"], ["node", "demo"]):
            result = run(*arguments)
            self.assertEqual((result.returncode, result.stdout), (2, ""), arguments)
            self.assertNotEqual(result.stderr, "", arguments)

    def test_completion_scripts(self):
        bash = run("completion", "bash").stdout
        for words, expected in (("no", "node"), ("node --c", "--config"), ("completion z", "zsh"),
                                ("node --set kubelet.in", "kubelet.interval= kubelet.insecure_skip_verify=")):
            script = (f"{bash}\nCOMP_WORDS=(flintgauge {words}); COMP_CWORD=$((${{#COMP_WORDS[@]}}-1));"
                      "compopt() { :; }; _flintgauge; echo ${COMPREPLY[*]}")  # compopt works only while completing
            got = subprocess.run(["bash", "-c", script], capture_output=True, text=True)
            self.assertEqual(got.stdout.strip(), expected, got.stderr)
        for shell in ("zsh", "fish"):
            self.assertIn("check-config", run("completion", shell).stdout)


class Configuration(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.path = os.path.join(directory.name, "agent.yaml")

    def write(self, text):
        with open(self.path, "w", encoding="utf-8") as file:
            file.write(text)

    def test_good_file(self):
        self.write("kubelet:\n  interval: 15s\n")
        result = run("check-config", self.path)
        self.assertEqual((result.returncode, result.stdout, result.stderr), (0, f"{self.path}: good\n", ""))

    def test_bad_file_names_line_and_key_in_every_command(self):
        self.write("kubelet:\n  interval: 15s\n  intervall: 1s\n")
        for arguments in (["check-config", self.path], ["node", "--config", self.path],
                          ["once", "--config", self.path], ["print-config", "--config", self.path]):
            result = run(*arguments)
            self.assertEqual((result.returncode, result.stdout), (1, ""), arguments)
            self.assertEqual(result.stderr, f"flintgauge: {self.path}:3:3: unknown setting kubelet.intervall; "
                                            "did you mean kubelet.interval?\n")

    def test_values_out_of_range_name_their_line(self):
        self.write("spark:\n  interval: 1ms\n")
        result = run("check-config", self.path)
        self.assertEqual(result.returncode, 1)
        self.assertIn(f"{self.path}:2:13: spark.interval: must be from 100ms to 1h", result.stderr)

    def test_printed_configuration_is_accepted_and_complete(self):
        printed = run("print-config", "--set", "hints.max_executors=7")
        self.assertEqual(printed.returncode, 0)
        self.write(printed.stdout)
        self.assertEqual(run("check-config", self.path).returncode, 0)
        again = run("print-config", "--config", self.path)
        self.assertEqual(again.stdout, printed.stdout)
        self.assertIn("max_executors: 7", again.stdout)
        self.assertIn("url: https://$HOST_IP:10250", again.stdout.replace('"', ""))

    def test_bad_value_names_line_and_key_in_every_command(self):
        for section, value, fault in (
                ("kubelet", "server_name: a/b", ":2:16: kubelet.server_name: must be a host name"),
                ("targets", "disabled_collectors: x", ":2:24: targets.disabled_collectors: no collector \"x\"; there are: ")):
            self.write(f"{section}:\n  {value}\nnode:\n  name: n\n")
            for arguments in (["check-config", self.path], ["node", "--config", self.path], ["once", "--config", self.path]):
                result = run(*arguments)
                self.assertEqual((result.returncode, result.stdout), (1, ""), arguments)
                self.assertIn(f"{self.path}{fault}", result.stderr, arguments)

    def test_missing_variable_is_named(self):
        for command in ("node", "once"):
            result = subprocess.run([PROGRAM, command], capture_output=True, text=True, timeout=60,
                                    env=without("NODE_NAME", "HOST_IP"))
            self.assertEqual(result.returncode, 1)
            self.assertIn("node.name: the environment variable NODE_NAME is not set", result.stderr)
            result = run(command, env={**without("HOST_IP"), "NODE_NAME": "n", "HOST_IP": ""})
            self.assertEqual(result.returncode, 1)
            self.assertIn("kubelet.url: the environment variable HOST_IP is not set", result.stderr)

    def test_port_in_use_says_so(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            result = run(*NODE, "--set", f"web.listen_address=127.0.0.1:{port}")
            self.assertEqual(result.returncode, 1)
            self.assertIn(f"cannot listen on 127.0.0.1:{port}: ", result.stderr)
            self.assertIn("in use", result.stderr)
            result = run("demo", "--listen", f"127.0.0.1:{port}")
            self.assertEqual(result.returncode, 1)
            self.assertIn("in use", result.stderr)


class Signals(unittest.TestCase):
    def test_stop_signals_end_it_in_time(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            node = Running(*NODE)
            address = node.address()
            wait_ready(address)
            # A connection that says nothing, one that reads nothing, and one that is kept open.
            idle = socket.create_connection(address.split(":"))
            stuck = reader_of_nothing(address)
            kept = http.client.HTTPConnection(address)
            kept.request("GET", "/-/healthy")
            kept.getresponse().read()
            code, seconds = node.stop(number)
            self.assertEqual(code, 0, node.output())
            self.assertLess(seconds, STOP_SECONDS)
            self.assertIn("msg=stopping", node.output())
            idle.close()
            stuck.close()
            kept.close()

    def test_sigterm_at_any_moment(self):
        chance = random.Random(1)
        for _ in range(12):
            node = Running(*NODE)
            node.address()
            time.sleep(chance.uniform(0, 0.4))
            code, seconds = node.stop()
            self.assertEqual(code, 0, node.output())
            self.assertLess(seconds, STOP_SECONDS)

    def test_closed_reader_does_not_kill_it(self):
        node = Running(*NODE)
        self.addCleanup(node.process.kill)
        host, port = node.address().split(":")
        for _ in range(20):
            with socket.create_connection((host, int(port))) as peer:
                peer.sendall(b"GET /-/healthy HTTP/1.1\r\nHost: a\r\n\r\n" * 5)
        self.assertEqual(get(f"{host}:{port}", "/-/healthy")[0], 200)
        self.assertEqual(node.stop()[0], 0)


class DemoCase(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.demo = Running("demo", "--listen", "127.0.0.1:0")
        cls.address = cls.demo.address()
        wait_ready(cls.address)

    @classmethod
    def tearDownClass(cls):
        cls.demo.stop()

    def wait_for(self, path, condition, seconds=40):
        deadline = time.monotonic() + seconds
        while True:
            answer = json.loads(get(self.address, path)[2])
            if condition(answer):
                return answer
            self.assertLess(time.monotonic(), deadline, json.dumps(answer, indent=1))
            time.sleep(0.2)


class Serving(DemoCase):
    def test_page_and_routes(self):
        status, headers, body = get(self.address, "/")
        self.assertEqual(status, 200)
        self.assertEqual(headers["Content-Type"], "text/html; charset=utf-8")
        for text in ("demo-node", "nightly-etl", "feature-backfill", "cadvisor"):
            self.assertIn(text, body.decode())
        for path in ("/-/healthy", "/-/ready", "/healthz", "/livez", "/readyz", "/metrics", "/api/v1/targets",
                     "/api/v1/apps", "/api/v1/hints"):
            self.assertEqual(get(self.address, path)[0], 200, path)
        for path in ("/-/reload", "/metrics/", "/nothing", "/api/v1/hints/team-a/nothing"):
            self.assertEqual(get(self.address, path)[0], 404, path)

    def test_every_target_is_up(self):
        answer = self.wait_for("/api/v1/targets", lambda all: len(all["targets"]) > 6 and all_up(all))
        self.assertEqual(answer["node"], "demo-node")

    def test_metrics_pass_promtool_in_both_formats(self):
        status, headers, text = get(self.address, "/metrics", Accept="text/plain;version=0.0.4")
        self.assertEqual(status, 200)
        self.assertEqual(headers["Content-Type"], "text/plain; version=0.0.4; charset=utf-8")
        lint = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True)
        self.assertEqual((lint.returncode, lint.stderr, lint.stdout), (0, b"", b""))
        _, headers, text = get(self.address, "/metrics", Accept="application/openmetrics-text;version=1.0.0")
        self.assertTrue(headers["Content-Type"].startswith("application/openmetrics-text; version=1.0.0"))
        self.assertTrue(text.endswith(b"\n# EOF\n"))

    def test_numbers_move(self):
        def cpu():
            text = get(self.address, "/metrics")[2].decode()
            found = re.findall(r'^flintgauge_app_cpu_usage_seconds_total\{.*role="executor"\} (\S+)$', text, re.M)
            return sum(map(float, found))
        before = cpu()
        deadline = time.monotonic() + 20
        while cpu() <= before + 1:
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.2)

    def test_once_prints_a_page(self):
        targets = json.loads(get(self.address, "/api/v1/targets")[2])["targets"]
        kubelet = next(target["url"] for target in targets if target["target"] == "cadvisor")
        result = run("once", "--set", "node.name=demo-node", "--set", "kubelet.token_file=", "--set",
                     "targets.allow_loopback=true", "--set", "kubelet.url=" + kubelet.removesuffix("/metrics/cadvisor"))
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn('flintgauge_target_up{source="kubelet",target="cadvisor"} 1\n', result.stdout)
        self.assertRegex(result.stdout, r'flintgauge_app_memory_working_set_bytes\{namespace="team-a",')
        lint = subprocess.run(["promtool", "check", "metrics"], input=result.stdout.encode(), capture_output=True)
        self.assertEqual((lint.returncode, lint.stderr, lint.stdout), (0, b"", b""))

    def test_demo_ends_by_itself(self):
        start = time.monotonic()
        result = run("demo", "--seconds", "2", "--listen", "127.0.0.1:0")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertGreaterEqual(time.monotonic() - start, 2)
        for path in ("/metrics", "/api/v1/apps", "/api/v1/hints", "/api/v1/targets"):
            self.assertRegex(result.stdout, rf"http://127\.0\.0\.1:\d+{path}\n")


class Hints(DemoCase):
    def test_hints_fit_the_applications(self):
        def by_name(answer):
            names = {app["appId"]: app["name"] for app in json.loads(get(self.address, "/api/v1/apps")[2])["apps"]}
            return {names[hint["appId"]]: hint for hint in answer["hints"] if "desired" in hint}
        self.wait_for("/api/v1/hints", lambda answer: len(by_name(answer)) == 5)
        answer = self.wait_for("/api/v1/hints", lambda answer: by_name(answer)["notebook-adhoc"]["desired"] == 0 and
                               by_name(answer)["feature-backfill"]["desired"] > by_name(answer)["feature-backfill"]["current"])
        hints = by_name(answer)
        self.assertEqual(hints["feature-backfill"]["current"], 2)
        self.assertEqual(hints["notebook-adhoc"]["current"], 3)
        for hint in hints.values():
            path = f"/api/v1/hints/{hint['namespace']}/{hint['appId']}?explain=1"
            status, _, body = get(self.address, path)
            self.assertEqual(status, 200)
            self.assertIn("terms", json.loads(body))

    def test_sums_agree_when_done_again(self):
        """Every number of a hint, from the JSON of ?explain=1 alone, in another language."""
        def told(answer):
            return [hint["bottleneck"]["kind"] for hint in answer["hints"] if "desired" in hint]
        answer = self.wait_for("/api/v1/hints", lambda answer: len(set(told(answer)) - {"unknown"}) > 1, seconds=60)
        script = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "tools", "recompute_hints.py")
        for hint in answer["hints"]:
            if "desired" not in hint:
                continue
            body = get(self.address, f"/api/v1/hints/{hint['namespace']}/{hint['appId']}?explain=1")[2].decode()
            self.assertEqual(self.again(script, body), (0, ""))
            wrong = json.loads(body)
            wrong["terms"]["need"] += 1
            wrong["bottleneck"]["kind"] = "oom"
            wrong["vertical"]["confidence"] += 0.5
            wrong["vertical"]["slotInputs"]["taskCpuSeconds"] = 1e9
            wrong["waste"]["beforeCoreSeconds"] += 1
            wrong["desiredStable"] += 1
            wrong["confidenceInputs"]["completedTasks"] = 1
            wrong["sideways"]["freeExecutors"] += 1
            wrong["sideways"]["code"] = "quota"
            code, lines = self.again(script, json.dumps(wrong))
            self.assertEqual(code, 1)
            for line in ("horizontal need", "kind: told oom", "vertical confidence", "slot efficiency", "waste: told", "stable: told",
                         "confidence of the formula", "sideways freeExecutors", "sideways code: told quota"):
                self.assertIn(line, lines)
            for part in ("vertical", "horizontal", "sideways", "bottleneck", *(["quota"] if "quota" in hint else [])):
                alone = get(self.address, f"/api/v1/hints/{hint['namespace']}/{hint['appId']}/{part}?explain=1")[2].decode()
                self.assertEqual(self.again(script, alone), (0, ""), part)
        for many in ("", "/team-a", "/team-b"):
            body = get(self.address, f"/api/v1/hints{many}?explain=1")[2].decode()
            self.assertIn("stableWindow", json.loads(body)["hints"][0])
            self.assertEqual(self.again(script, body), (0, ""), many)

    @staticmethod
    def again(script, body):
        done = subprocess.run([sys.executable, script, "-"], input=body, capture_output=True, text=True, timeout=30)
        return done.returncode, done.stdout + done.stderr


def all_up(answer):
    return all(target["up"] for target in answer["targets"] if target["state"] not in ("standby", "not_offered"))


if __name__ == "__main__":
    unittest.main()
