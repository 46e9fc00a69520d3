"""Driver UIs that mean harm: each serves at its pod's address, on port 4040, what `answer` of its kind gives."""
import contextlib
import http.server
import json
import threading
import time

from push_node import APP

HTML = b"<!DOCTYPE html><html><body>Spark is starting up.</body></html>"
ODD = 'retry "quoted"\n# TYPE x counter\nflintgauge_spark_tasks_completed_total{namespace="team-a"} 666\n\\'
MANY = 60_000  # rows that fit into the 8 MiB of spark.body_limit
TOO_MANY = 1_000_000


class Quiet(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, *_):  # the agent hangs up on most of these
        pass


class Ui:
    """`answer(path, query, own)` gives (status, headers, pieces of the body); None: 404."""

    def __init__(self, ip, own, answer):
        self.requests = 0
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                outer.requests += 1
                path, _, query = self.path.partition("?")
                status, headers, pieces = answer(path, query, own) or (404, {}, [b"no such app"])
                self.send_response(status)
                for name, text in ({"Content-Type": "application/json"} | headers).items():
                    self.send_header(name, text)
                self.end_headers()
                with contextlib.suppress(OSError):
                    for piece in pieces:
                        self.wfile.write(piece)

            def log_message(self, *_):
                pass

        server = Quiet((ip, 4040), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()


def listing(rows):
    """A JSON list, a thousand rows a piece."""
    yield b"["
    first, block = True, []
    for row in rows:
        block.append(row)
        if len(block) == 1000:
            yield (b"" if first else b",") + ",".join(block).encode()
            first, block = False, []
    yield (b"" if first or not block else b",") + ",".join(block).encode() + b"]"


def executor(identifier, tasks=1):
    return json.dumps({"id": identifier, "isActive": True, "maxTasks": 1, "completedTasks": tasks, "totalTasks": tasks})


def application(app_id, name="a"):
    return json.dumps({"id": app_id, "name": name, "attempts": [{"completed": False, "startTimeEpoch": 1, "appSparkVersion": name}]})


def stage(number, name="s"):
    return json.dumps({"status": "COMPLETE", "stageId": number, "attemptId": 0, "numTasks": 1, "numCompleteTasks": 1, "name": name})


def registry(app_id, names):
    gauges = ",".join(f"{json.dumps(f'{app_id}.driver.{name}')}:{{\"value\":7}}" for name in names)
    return [b'{"version":"4.0.0","gauges":{', gauges.encode(), b'},"counters":{},"histograms":{},"meters":{},"timers":{}}']


def rest(path, app_id, name, executors, stages, names):
    """The pages of a driver with these rows."""
    if path == "/metrics/json/":
        return 200, {"Content-Type": "text/json"}, registry(app_id, names)
    lists = {"applications": [application(app_id, name)], "allexecutors": executors, "stages": stages, "jobs": []}
    rows = lists.get(path.rstrip("/").rsplit("/", 1)[-1])
    return None if rows is None else (200, {}, listing(rows))


def lies(path, _, own):
    """Of another's application, wherever Spark says its id."""
    del own
    return rest(path, APP, "nightly-orders", [executor("1", 10**9)], [stage(1)], ["DAGScheduler.job.activeJobs"])


def odd_names(path, _, own):
    return rest(path, own, ODD, [executor(ODD), executor("1")], [stage(1, ODD)], [ODD, f"spark.streaming.{ODD}.latency"])


def many(path, _, own):
    if path.startswith("/metrics/executors/prometheus"):
        rows = (f'metrics_executor_completedTasks_total{{application_id="{own}", application_name="a", executor_id="{i}"}} 1\n'
                for i in range(MANY))
        return 200, {"Content-Type": "text/plain"}, [("".join(rows)).encode()]
    return rest(path, own, "a", (executor(str(i)) for i in range(MANY)), (stage(i) for i in range(MANY)),
                (f"spark.streaming.q{i}.latency" for i in range(MANY)))


def too_many(path, _, own):
    return rest(path, own, "a", (executor(str(i)) for i in range(TOO_MANY)), (stage(i) for i in range(TOO_MANY)),
                (f"spark.streaming.q{i}.latency" for i in range(TOO_MANY // 10)))


def endless(*_):
    def forever():
        yield b"["
        while True:
            yield b'{"id":"1","isActive":true},' * 4000
    return 200, {}, forever()


def dripping(*_):
    """A byte now and then, so that no byte is late and the page never ends."""
    def forever():
        while True:
            yield b" "
            time.sleep(0.2)
    return 200, {}, forever()


def redirects(path, *_):
    return 302, {"Location": path + "?again"}, []


def elsewhere(victim):
    return lambda path, *_: (302, {"Location": f"http://{victim}:4040{path}"}, [])


def html(*_):
    return 200, {"Content-Type": "text/html"}, [HTML]


def garbage(*_):
    return 200, {}, [bytes(range(256)) * 400]


def nested(*_):
    return 200, {}, [b'[{"id":' + b"[" * 1_000_000]


def kinds(victim):
    return {"lies": lies, "odd_names": odd_names, "many": many, "too_many": too_many, "endless": endless, "dripping": dripping,
            "redirects": redirects, "elsewhere": elsewhere(victim), "html": html, "garbage": garbage, "nested": nested}
