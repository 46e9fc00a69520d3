"""Building blocks of a Grafana dashboard: what every panel and variable of ours has in common."""

DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}
WIDTH = 24  # Grafana's grid


def query_variable(name, label, metric, value_label, *, many, hint):
    """A variable with the values of `value_label` over the selector `metric`. Many: several values or all of them."""
    query = f"label_values({metric}, {value_label})"
    variable = {
        "name": name, "label": label, "type": "query", "datasource": DATASOURCE, "description": hint,
        "query": {"query": query, "refId": f"Variable-{name}"},
        "refresh": 2, "sort": 1, "regex": "", "hide": 0, "multi": many, "includeAll": many, "options": [],
    }
    if many:
        variable["current"] = {"selected": False, "text": "All", "value": "$__all"}
        # A label that is absent matches ".*" only, and of these names just the cluster may be absent.
        variable["allValue"] = ".*" if name == "cluster" else ".+"
    return variable


def datasource_variable():
    return {"name": "datasource", "label": "Data source", "type": "datasource", "query": "prometheus", "regex": "",
            "hide": 0, "refresh": 1, "multi": False, "includeAll": False, "options": [],
            "description": "The Prometheus that scrapes the agents"}


def _targets(queries, table):
    out = []
    for number, (expr, legend) in enumerate(queries):
        target = {"refId": chr(ord("A") + number), "datasource": DATASOURCE, "expr": expr, "editorMode": "code"}
        if table:
            target |= {"instant": True, "range": False, "format": "table", "legendFormat": legend}
        else:
            target |= {"legendFormat": legend}
        out.append(target)
    return out


def _panel(kind, title, description, unit, queries, size, *, table=False, custom=None, **defaults):
    return {
        "type": kind, "title": title, "description": description, "datasource": DATASOURCE,
        "size": size, "targets": _targets(queries, table),
        "fieldConfig": {"defaults": {"unit": unit, "noValue": "no data", "custom": custom or {}, **defaults},
                        "overrides": []},
    }


def _steps(steps):
    """[(colour, from), ...]; the first step has no lower end."""
    return {"mode": "absolute", "steps": [{"color": color, "value": value} for color, value in steps]}


def stat(title, description, unit, expr, *, steps=(("green", None),), size=(3, 4), legend="", **defaults):
    panel = _panel("stat", title, description, unit, [(expr, legend)], size,
                   thresholds=_steps(steps), color={"mode": "thresholds"}, **defaults)
    panel["options"] = {"reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False}, "colorMode": "value",
                        "graphMode": "area", "textMode": "value_and_name" if legend else "value"}
    return panel


def timeseries(title, description, unit, queries, *, stack=False, size=(12, 8), **defaults):
    custom = {"drawStyle": "line", "lineWidth": 1, "fillOpacity": 40 if stack else 8, "showPoints": "never",
              "spanNulls": False, "stacking": {"mode": "normal" if stack else "none", "group": "A"}}
    panel = _panel("timeseries", title, description, unit, queries, size, custom=custom,
                   color={"mode": "palette-classic"}, min=0, **defaults)
    panel["options"] = {"legend": {"displayMode": "table", "placement": "bottom", "calcs": ["lastNotNull", "max"]},
                        "tooltip": {"mode": "multi", "sort": "desc"}}
    return panel


def table(title, description, columns, key, *, size=(24, 10), link=None, hidden=()):
    """columns: (name, unit, expr); rows are merged by the labels `key`. link: (label, title, url)."""
    panel = _panel("table", title, description, "short", [(expr, name) for name, _, expr in columns], size, table=True,
                   custom={"align": "auto", "filterable": True})
    names = {f"Value #{chr(ord('A') + i)}": name for i, (name, _, _) in enumerate(columns)}
    order = {name: i for i, name in enumerate([*key, *names])}
    panel["transformations"] = [
        {"id": "merge", "options": {}},
        {"id": "organize", "options": {"excludeByName": {name: True for name in ("Time", *hidden)},
                                       "indexByName": order, "renameByName": names}},
    ]
    overrides = [{"matcher": {"id": "byName", "options": name}, "properties": [{"id": "unit", "value": unit}]}
                 for name, unit, _ in columns if name]
    if link is not None:
        label, text, url = link
        overrides.append({"matcher": {"id": "byName", "options": label},
                          "properties": [{"id": "links", "value": [{"title": text, "url": url}]}]})
    panel["fieldConfig"]["overrides"] = overrides
    panel["options"] = {"showHeader": True, "sortBy": [{"displayName": columns[0][0], "desc": True}]}
    return panel


def timeline(title, description, expr, legend, *, size=(12, 8)):
    """A state set over time: one line per state, a bar while it is the one."""
    panel = _panel("state-timeline", title, description, "short", [(expr, legend)], size,
                   custom={"lineWidth": 0, "fillOpacity": 80, "spanNulls": False},
                   mappings=[{"type": "value", "options": {"1": {"text": " ", "color": "blue", "index": 0}}}])
    panel["options"] = {"mergeValues": True, "showValue": "never", "rowHeight": 0.9,
                        "legend": {"displayMode": "list", "placement": "bottom", "showLegend": False},
                        "tooltip": {"mode": "single"}}
    return panel


def row(title, panels, *, collapsed=False):
    return {"row": title, "collapsed": collapsed, "panels": panels}


def _lay_out(rows):
    """Gives every panel its place and number: from left to right, a new line when it is full."""
    out, y, number = [], 0, 1
    for group in rows:
        header = {"type": "row", "title": group["row"], "collapsed": group["collapsed"], "id": number, "panels": [],
                  "gridPos": {"x": 0, "y": y, "w": WIDTH, "h": 1}}
        out.append(header)
        number, y, x, line = number + 1, y + 1, 0, 0
        for panel in group["panels"]:
            width, height = panel.pop("size")
            if x + width > WIDTH:
                x, y, line = 0, y + line, 0
            placed = panel | {"id": number, "gridPos": {"x": x, "y": y, "w": width, "h": height}}
            (header["panels"] if group["collapsed"] else out).append(placed)
            number, x, line = number + 1, x + width, max(line, height)
        y += line
    return out


def dashboard(uid, title, description, variables, rows, annotations=()):
    builtin = {"builtIn": 1, "datasource": {"type": "grafana", "uid": "-- Grafana --"}, "enable": True, "hide": True,
               "iconColor": "rgba(0, 211, 255, 1)", "name": "Annotations & Alerts", "type": "dashboard"}
    return {
        "id": None, "uid": uid, "title": title, "description": description, "tags": ["flintgauge", "spark"],
        "schemaVersion": 38, "version": 1, "editable": False, "graphTooltip": 1, "refresh": "30s",
        "time": {"from": "now-1h", "to": "now"}, "timezone": "browser", "fiscalYearStartMonth": 0,
        "links": [{"type": "dashboards", "title": "flintgauge", "tags": ["flintgauge"], "asDropdown": True,
                   "keepTime": True, "includeVars": True, "targetBlank": False, "icon": "external link", "tooltip": "", "url": ""}],
        "annotations": {"list": [builtin, *annotations]},
        "templating": {"list": [datasource_variable(), *variables]},
        "panels": _lay_out(rows),
    }


def annotation(name, expr, text, color):
    return {"name": name, "datasource": DATASOURCE, "enable": True, "hide": False, "iconColor": color, "expr": expr,
            "step": "60s", "titleFormat": name, "textFormat": text, "useValueForTime": False}
