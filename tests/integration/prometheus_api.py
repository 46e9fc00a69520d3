"""The HTTP API of a Prometheus, as far as the tests ask it."""
import json
import urllib.error
import urllib.parse
import urllib.request


class Prometheus:
    def __init__(self, url):
        self.url = url

    def _ask(self, path, **parameters):
        data = urllib.parse.urlencode(parameters, doseq=True).encode() if parameters else None
        try:
            with urllib.request.urlopen(f"{self.url}/api/v1/{path}", data=data, timeout=60) as answer:
                body = json.load(answer)
        except urllib.error.HTTPError as error:
            raise SystemExit(f"{parameters}: {error.read().decode()}") from error
        assert body["status"] == "success", body
        return body["data"]

    def query(self, expr, at):
        """[(labels, value)] of an instant query."""
        result = self._ask("query", query=expr, time=at)["result"]
        return [(series["metric"], float(series["value"][1])) for series in result]

    def query_range(self, expr, start, end, step):
        """[(labels, [value])]."""
        result = self._ask("query_range", query=expr, start=start, end=end, step=step)["result"]
        return [(series["metric"], [float(value) for _, value in series["values"]]) for series in result]

    def raw(self, selector, window, at):
        """[(labels, {time: value})] of the stored samples."""
        result = self._ask("query", query=f"{selector}[{window}]", time=at)["result"]
        return [(series["metric"], {time: float(value) for time, value in series["values"]}) for series in result]

    def rules(self):
        return [rule for group in self._ask("rules")["groups"] for rule in group["rules"]]

    def targets(self):
        with urllib.request.urlopen(f"{self.url}/api/v1/targets?state=active", timeout=60) as answer:
            return json.load(answer)["data"]["activeTargets"]

    def metadata(self, job):
        """{family: (type, unit)} as the targets of a job said."""
        match = urllib.parse.quote(f'{{job="{job}"}}')
        with urllib.request.urlopen(f"{self.url}/api/v1/targets/metadata?match_target={match}", timeout=60) as answer:
            return {entry["metric"]: (entry["type"], entry["unit"]) for entry in json.load(answer)["data"]}
