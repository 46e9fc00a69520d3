#!/usr/bin/env python3
"""Dashboards and rules: the rules of grafana/dashboard-linter (all but Loki's), names and labels of the catalogue, PromQL.

Every rule first proves on a damaged copy that it can fail. Needs promtool (Debian package prometheus) and python3-yaml.
"""
import copy
import json
import pathlib
import re
import subprocess
import sys
import tempfile

import yaml

ROOT = pathlib.Path(__file__).resolve().parent.parent
FOLDER = ROOT / "dashboards"

# Grafana's ids of the units we use (packages/grafana-data, valueFormats/categories).
UNITS = {"none", "short", "percent", "percentunit", "bytes", "decbytes", "Bps", "s", "ms", "dtdurations", "reqps", "ops"}
LEGACY = {"graph", "singlestat", "table-old"}
DESCRIBED = {"stat", "singlestat", "graph", "timetable", "timeseries", "gauge", "table", "state-timeline"}
# What a variable stands for when a query is checked or run.
VARIABLES = {"__rate_interval": "1m", "__interval": "15s", "__range": "1h", "job": ".+", "cluster": ".*",
             "namespace": ".+", "application": ".+", "datasource": "prometheus"}
# What every dashboard of ours has in common.
BOARD = {"schemaVersion": 38, "refresh": "30s", "graphTooltip": 1, "timezone": "browser"}
# Labels that Prometheus or the scrape configuration adds, and families that are not ours.
TARGET_LABELS = {"job", "instance", "cluster"}
FOREIGN = {"up": set()}
NAME = re.compile(r"(?<![\w:$\"])([a-zA-Z_][\w:]*)\s*(\{[^}]*\})?")
STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
WORDS = {"by", "without", "on", "ignoring", "group_left", "group_right", "bool", "and", "or", "unless", "offset"}


def substitute(text):
    return re.sub(r"\$(?:\{(\w+)[^}]*\}|(\w+))", lambda m: VARIABLES.get(m[1] or m[2], m[0]), text)


def catalogue():
    """Family -> its labels, from the table of docs/metrics.md."""
    rows = re.findall(r"^\| `(\w+)` \| [\w ]+ \| ([^|]*) \|", (ROOT / "docs/metrics.md").read_text(), re.M)
    return {name: set(re.findall(r"\w+", labels)) for name, labels in rows}


def rule_outputs(rules):
    """Record -> the labels that its `by` leaves."""
    out = {}
    for group in rules["groups"]:
        for rule in group["rules"]:
            by = re.search(r"by \(([^)]*)\)", rule["expr"])
            out[rule["record"]] = set(re.findall(r"\w+", by[1])) if by else set()
    return out


def selectors(expr):
    """(name, matchers, functions around it) of every selector in an expression."""
    blank = STRING.sub(lambda m: '"' + " " * (len(m[0]) - 2) + '"', expr)
    blank = re.sub(r"\b(by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)",
                   lambda m: " " * len(m[0]), blank)
    blank = re.sub(r"\[[^]]*\]", lambda m: " " * len(m[0]), blank)
    for found in NAME.finditer(blank):
        name, end = found[1], found.end(1)
        if name in WORDS or blank[end:].lstrip().startswith("("):
            continue
        around, depth = [], 0
        for position in range(found.start() - 1, -1, -1):
            if blank[position] == ")":
                depth += 1
            elif blank[position] == "(":
                depth -= 1
                if depth < 0:
                    around.append(re.search(r"(\w*)\s*$", blank[:position])[1])
                    depth = 0
        matchers = expr[found.start(2) + 1:found.end(2) - 1] if found[2] else ""
        yield name, matchers, around


def panels_of(dashboard):
    for panel in dashboard["panels"]:
        if panel["type"] == "row":
            yield from panel.get("panels", [])
        else:
            yield panel


def expressions(dashboard):
    """(where, expression) of every panel, annotation and variable."""
    for panel in panels_of(dashboard):
        for target in panel.get("targets", []):
            yield f"panel '{panel['title']}' {target['refId']}", target["expr"]
    for annotation in dashboard["annotations"]["list"]:
        if "expr" in annotation:
            yield f"annotation '{annotation['name']}'", annotation["expr"]


def variable_selector(variable):
    found = re.fullmatch(r"label_values\((.*),\s*(\w+)\)", variable["query"]["query"])
    return (found[1], found[2]) if found else (None, None)


# ---- one function a rule of the linter; each yields findings ----------------------------------------------------

def template_rules(board, _):
    variables = {v["name"]: v for v in board["templating"]["list"]}
    source = variables.get("datasource")
    if source is None or source["type"] != "datasource" or source["query"] != "prometheus":
        yield "template-datasource-rule: no variable datasource"
    elif source["label"] != "Data source":
        yield "template-datasource-rule: label is not 'Data source'"
    for name in ("job", "instance"):
        variable = variables.get(name)
        good = variable is not None and variable["type"] == "query" and variable["multi"] and \
            variable.get("allValue") == ".+" and variable["label"] == name.capitalize() and \
            variable["datasource"]["uid"] == "${datasource}"
        if not good:
            yield f"template-{name}-rule: variable {name} is missing or not a query with multi and allValue .+"
    for variable in board["templating"]["list"]:
        if variable["type"] != "query":
            continue
        if variable_selector(variable)[0] is None:
            yield f"template-label-promql-rule: {variable['name']}: {variable['query']['query']}"
        if variable["refresh"] != 2:
            yield f"template-on-time-change-reload-rule: {variable['name']}"


def panel_rules(board, _):
    ids = [inner["id"] for panel in board["panels"] for inner in [panel, *panel.get("panels", [])]]
    if len(ids) != len(set(ids)):
        yield "panel-id-rule: two panels have one id"
    for panel in panels_of(board):
        where = f"panel '{panel.get('title')}'"
        if panel["type"] in LEGACY:
            yield f"{where}: type {panel['type']} is legacy"
        if panel["datasource"].get("uid") not in ("$datasource", "${datasource}"):
            yield f"panel-datasource-rule: {where}"
        if panel["type"] in DESCRIBED and not (panel.get("title") and panel.get("description")):
            yield f"panel-title-description-rule: {where}"
        elif len(panel["description"]) < 45:
            yield f"panel-advice-rule: {where}: say what is normal and what to do"
        if panel["fieldConfig"]["defaults"].get("unit") not in UNITS:
            yield f"panel-units-rule: {where}"
        if not panel.get("targets"):
            yield f"panel-no-targets-rule: {where}"
        if not panel["fieldConfig"]["defaults"].get("noValue"):
            yield f"panel-no-value-rule: {where}"


def target_rules(board, known):
    for where, expr in expressions(board):
        for window in re.findall(r"\bi?rate\(.*?\[([^]]*)\]", expr):
            if window != "$__rate_interval":
                yield f"target-rate-interval-rule: {where}: [{window}]"
        for name, matchers, around in selectors(expr):
            if name.endswith("_total") and not {"rate", "irate", "increase"} & set(around):
                yield f"target-counter-agg-rule: {where}: {name}"
            for label in ("job", "instance"):
                if f'{label}=~"${label}"' not in matchers.replace(" ", ""):
                    yield f"target-{label}-rule: {where}: {name}"
        yield from name_rule(where, expr, known)


def board_rules(board, _):
    if board["editable"] is not False:
        yield "uneditable-dashboard"
    if not re.fullmatch(r"flintgauge-[a-z]+", board["uid"]) or len(board["uid"]) > 40:
        yield f"uid {board['uid']!r} is not flintgauge-NAME"
    if board["id"] is not None or "__inputs" in board:
        yield "id must be null and __inputs absent: the file is provisioned"
    for key, value in BOARD.items():
        if board.get(key) != value:
            yield f"board-rule: {key} is {board.get(key)!r}, not {value!r}"
    if not any(link["type"] == "dashboards" and link["keepTime"] and link["includeVars"] for link in board["links"]):
        yield "board-rule: no link to the other dashboards that keeps time and variables"
    if not any(annotation.get("builtIn") for annotation in board["annotations"]["list"]):
        yield "board-rule: Grafana's own annotations are gone"


def name_rule(where, expr, known):
    """Names and labels exist in the catalogue, the rules or the short list of foreign families."""
    for name, matchers, _ in selectors(expr):
        if name not in known:
            yield f"name-rule: {where}: {name} is neither in docs/metrics.md nor recorded"
            continue
        for label in re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", STRING.sub('""', matchers)):
            if label not in known[name] | TARGET_LABELS:
                yield f"label-rule: {where}: {name} has no label {label}"
    everywhere = set().union(TARGET_LABELS, *(known.get(name, set()) for name, _, _ in selectors(expr)))
    for labels in re.findall(r"\b(?:by|on|ignoring|without)\s*\(([^)]*)\)", expr):
        for label in re.findall(r"\w+", labels):
            if label not in everywhere:
                yield f"label-rule: {where}: nothing there has the label {label}"


def legend_rule(board, known):
    for panel in panels_of(board):
        for target in panel.get("targets", []):
            names = set().union(*(known.get(name, set()) for name, _, _ in selectors(target["expr"])))
            by = set(re.findall(r"\w+", " ".join(re.findall(r"\bby\s*\(([^)]*)\)", target["expr"]))))
            for label in re.findall(r"\{\{\s*(\w+)\s*\}\}", target["legendFormat"]):
                if label not in (by or names | TARGET_LABELS):
                    yield f"legend-rule: panel '{panel['title']}': {{{{{label}}}}} is no label of the result"


RULES = [template_rules, panel_rules, target_rules, board_rules, legend_rule]


def findings(board, known, excluded=frozenset()):
    for rule in RULES:
        for finding in rule(board, known):
            if finding.split(":")[0] not in excluded:
                yield finding


def promql_findings(named):
    """What promtool says of the expressions, all in one rule file."""
    rules = [{"record": f"check:{i}", "expr": substitute(expr)} for i, (_, expr) in enumerate(named)]
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        yaml.safe_dump({"groups": [{"name": "queries", "rules": rules}]}, file)
        file.flush()
        result = subprocess.run(["promtool", "check", "rules", "--lint=none", file.name], capture_output=True, text=True)
    if result.returncode == 0:
        return []
    named_by = {f"check:{i}": where for i, (where, _) in enumerate(named)}
    text = result.stderr + result.stdout
    return [f"target-promql-rule: {' '.join(where for key, where in named_by.items() if key + chr(34) in text)}: {text}"]


def all_expressions(board):
    out = list(expressions(board))
    for variable in board["templating"]["list"]:
        if variable["type"] == "query":
            out.append((f"variable {variable['name']}", variable_selector(variable)[0] or "label_values("))
    return out


# ---- proof that each rule can fail ---------------------------------------------------------------------------------

def mutations(board):
    """(what must be found, damaged copy)"""
    def damaged(change):
        copied = copy.deepcopy(board)
        change(copied)
        return copied

    def first(copied, kind="timeseries"):
        return next(p for p in panels_of(copied) if p["type"] == kind)

    def variable(copied, name):
        return next(v for v in copied["templating"]["list"] if v["name"] == name)

    def expr(text):
        return damaged(lambda c: first(c)["targets"][0].update(expr=text))

    good = 'job=~"$job",instance=~"$instance"'
    yield "template-datasource-rule", damaged(lambda c: c["templating"]["list"].pop(0))
    yield "template-datasource-rule", damaged(lambda c: variable(c, "datasource").update(label="Source"))
    yield "template-job-rule", damaged(lambda c: variable(c, "job").update(multi=False))
    yield "template-instance-rule", board
    yield "template-label-promql-rule", damaged(lambda c: variable(c, "job").update(query={"query": "label_values(job"}))
    yield "template-on-time-change-reload-rule", damaged(lambda c: variable(c, "job").update(refresh=1))
    yield "panel-datasource-rule", damaged(lambda c: first(c).update(datasource={"uid": "abc"}))
    yield "panel-title-description-rule", damaged(lambda c: first(c, "stat").update(description=""))
    yield "panel-id-rule", damaged(lambda c: c["panels"].append(c["panels"][0]))
    yield "panel-units-rule", damaged(lambda c: first(c)["fieldConfig"]["defaults"].update(unit="parsec"))
    yield "panel-no-targets-rule", damaged(lambda c: first(c).update(targets=[]))
    yield "panel-advice-rule", damaged(lambda c: first(c).update(description="Bytes."))
    yield "panel-no-value-rule", damaged(lambda c: first(c)["fieldConfig"]["defaults"].pop("noValue"))
    yield "board-rule", damaged(lambda c: c.update(refresh="5s"))
    yield "board-rule", damaged(lambda c: c.update(links=[]))
    yield "board-rule", damaged(lambda c: c["annotations"]["list"].pop(0))
    yield "target-rate-interval-rule", expr(f"rate(flintgauge_scrapes_total{{{good}}}[5m])")
    yield "target-counter-agg-rule", expr(f"sum(flintgauge_scrapes_total{{{good}}})")
    yield "target-counter-agg-rule", expr(f"rate(up[5m]) + flintgauge_scrapes_total{{{good}}}")
    yield "target-job-rule", expr('flintgauge_target_up{job="x"}')
    yield "target-instance-rule", expr('flintgauge_target_up{job=~"$job"}')
    yield "uneditable-dashboard", damaged(lambda c: c.update(editable=True))
    yield "name-rule", expr(f"flintgauge_target_ups{{{good}}}")
    yield "name-rule", expr("level:not_recorded:sum")
    yield "label-rule", expr(f'flintgauge_target_up{{{good},namespace="a"}}')
    yield "label-rule", expr(f"sum by (namespaces) (flintgauge_target_up{{{good}}})")
    yield "legend-rule", damaged(lambda c: first(c)["targets"][0].update(legendFormat="{{pod}}"))


def self_test(board, known):
    for rule, damaged in mutations(board):
        found = {finding.split(":")[0] for finding in findings(damaged, known)}
        assert rule in found, f"the check cannot find a broken {rule}: {sorted(found)}"
    assert promql_findings([("x", "sum(up")]) and promql_findings([("x", "up{a=b}")])
    assert not promql_findings([("x", 'rate(up{job=~"$job"}[$__rate_interval])')])


# ---- the files -----------------------------------------------------------------------------------------------------

def rule_findings(rules, families):
    """Records are level:metric:operation over families of the catalogue, and each has a unit test."""
    tested = (FOLDER / "rules/recording_test.yaml").read_text()
    for group in rules["groups"]:
        for rule in group["rules"]:
            record = rule["record"]
            if not re.fullmatch(r"[a-z_]+:flintgauge_\w+:\w+", record):
                yield f"{record}: not level:family:operation"
            if f"{record}\n" not in tested and f"({record}, " not in tested:
                yield f"{record}: no unit test"
            yield from name_rule(record, rule["expr"], families | FOREIGN)
    if any(":" in name for name in families):
        yield "a family of the catalogue has a colon"


def alert_findings(rules, known, tested):
    """Alerts say severity, summary, description and a runbook that exists; each has a unit test; names are known."""
    for group in rules["groups"]:
        for rule in group["rules"]:
            alert, notes = rule["alert"], rule["annotations"]
            if rule["labels"].get("severity") not in ("info", "warning", "critical"):
                yield f"alert-rule: {alert}: no severity"
            if set(notes) != {"summary", "description", "runbook_url"}:
                yield f"alert-rule: {alert}: wants summary, description and runbook_url, has {sorted(notes)}"
            elif notes["runbook_url"] != f"docs/runbooks/{alert.lower()}.md" or not (ROOT / notes["runbook_url"]).exists():
                yield f"alert-rule: {alert}: no runbook at {notes['runbook_url']}"
            if f"alertname: {alert}\n" not in tested or f"severity: {rule['labels'].get('severity')}" not in tested:
                yield f"alert-rule: {alert}: no unit test"
            yield from name_rule(alert, rule["expr"], known)
    alerts = {rule["alert"].lower() for group in rules["groups"] for rule in group["rules"]}
    for file in sorted((ROOT / "docs/runbooks").glob("*.md")):
        if file.stem not in alerts:
            yield f"alert-rule: {file.name}: a runbook without an alert"


def alert_self_test(rules, known, tested):
    def damaged(change):
        copied = copy.deepcopy(rules)
        change(copied["groups"][0]["rules"][0])
        return list(alert_findings(copied, known, tested))

    assert damaged(lambda r: r["labels"].pop("severity")) and damaged(lambda r: r["annotations"].pop("summary"))
    assert damaged(lambda r: r.update(alert="Unheard")) and damaged(lambda r: r.update(expr="sum(flintgauge_nothing)"))


def run(*command):
    result = subprocess.run(command, cwd=FOLDER / "rules", capture_output=True, text=True)
    return [] if result.returncode == 0 else [f"{' '.join(command)}:\n{result.stdout}{result.stderr}"]


def main():
    families = catalogue()
    assert len(families) > 50, "docs/metrics.md was not understood"
    rules = yaml.safe_load((FOLDER / "rules/recording.yaml").read_text())
    known = families | rule_outputs(rules) | FOREIGN
    excluded = frozenset(yaml.safe_load((FOLDER / ".lint").read_text())["exclusions"])
    boards = {file.name: json.loads(file.read_text()) for file in sorted(FOLDER.glob("*.json"))}
    assert boards, "no dashboards"
    self_test(next(iter(boards.values())), known)

    alerts = yaml.safe_load((FOLDER / "rules/alerts.yaml").read_text())
    tested = (FOLDER / "rules/alerts_test.yaml").read_text()
    alert_self_test(alerts, known, tested)

    found = [*rule_findings(rules, families), *alert_findings(alerts, known, tested)]
    queries = 0
    for name, board in boards.items():
        named = all_expressions(board)
        queries += len(named)
        found += [f"{name}: {finding}" for finding in [*findings(board, known, excluded), *promql_findings(named)]]
        found += [f"{name}: {finding}" for where, selector in named if where.startswith("variable")
                  for finding in name_rule(where, selector, known)]
    for file in ("recording", "alerts"):
        found += run("promtool", "check", "rules", "--lint=all", "--lint-fatal", f"{file}.yaml")
        found += run("promtool", "test", "rules", f"{file}_test.yaml")
    found += run(sys.executable, "../generate.py", "--check")
    print("\n".join(found) or f"{len(boards)} dashboards, {queries} queries, "
          f"{sum(len(group['rules']) for group in rules['groups'])} recording rules, "
          f"{sum(len(group['rules']) for group in alerts['groups'])} alerts: nothing found")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
