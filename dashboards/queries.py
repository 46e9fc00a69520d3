"""Selectors, rates and variables that the boards share."""
import grafana

AGENT = 'job=~"$job",cluster=~"$cluster"'


def agent(name, more=""):
    """A family of the agent or node: no namespace."""
    return f"{name}{{{AGENT}{',' + more if more else ''}}}"


def tenant(name, more=""):
    return agent(name, 'namespace=~"$namespace"' + ("," + more if more else ""))


def app(name, more=""):
    return tenant(name, 'app_id=~"$application"' + ("," + more if more else ""))


def rate(selector):
    return f"rate({selector}[$__rate_interval])"


def matcher(label, value):
    return f'{label}="{value}"'


def total(selector, by=""):
    return f"sum by ({by}) ({selector})" if by else f"sum({selector})"


def or_zero(expr, witness):
    """0 instead of nothing, but only while `witness` shows that somebody looks."""
    return f"{expr} or 0 * sum({witness})"


CLUSTER = grafana.query_variable("cluster", "Cluster", 'flintgauge_build_info{job=~"$job"}', "cluster", many=True,
                                 hint="Stays at All where no cluster label is set")
JOB = grafana.query_variable("job", "Job", "flintgauge_build_info", "job", many=True, hint="Scrape job of the agents")
KEY = "namespace, app_id"
PODS = "flintgauge_app_pods"
CPU = "flintgauge_app_cpu_usage_seconds_total"
