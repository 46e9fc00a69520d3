"""What a hostile pod may do to the Pushgateway's listener; run by push_hostile_test.py, which looks at the victim after each."""
import contextlib
import socket

from push_node import APP, lines, refused, value


def expect(condition, message):
    if not condition:
        raise SystemExit(f"FAILED: {message}")


def connect(agent, ip):
    return socket.create_connection(("127.0.0.1", agent.ports["pushgateway"]), source_address=(ip, 0), timeout=20)


def answer_to(agent, ip, data):
    """The status of what comes back, or 0."""
    with connect(agent, ip) as connection:
        with contextlib.suppress(ConnectionError):
            connection.sendall(data)
        text = b""
        with contextlib.suppress(ConnectionError):
            while piece := connection.recv(4096):
                text += piece
    return int(text.split()[1]) if text.startswith(b"HTTP/1.1 ") else 0


def post(body, path="/metrics/job/x", more=""):
    return f"POST {path} HTTP/1.1\r\n{more}Content-Length: {len(body)}\r\n\r\n".encode() + body


def attacks(enemy, enemy_app):
    name = enemy_app.replace("-", "_") + "_driver_"

    def dripping_heads(agent):
        was = agent.page()
        with contextlib.ExitStack() as all_of_them:
            for _ in range(40):
                with contextlib.suppress(ConnectionError):
                    all_of_them.enter_context(connect(agent, enemy)).sendall(b"POST /metrics/job/x HTTP/1.1\r\nHost:")
            agent.until("too many of one pod", lambda page: refused(page, "pushgateway", "pod_connections") ==
                        refused(was, "pushgateway", "pod_connections") + 32)
            agent.until("heads that do not end", lambda page: refused(page, "pushgateway", "timeout") ==
                        refused(was, "pushgateway", "timeout") + 8)
            agent.until("none left open", lambda page: value(page, "flintgauge_push_connections", protocol="pushgateway") == 0)
        return "8 of 40 connections held, for seconds"

    def broken_requests(agent):
        before = refused(agent.page(), "pushgateway", "request")
        table = [b"\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n", b"POST /metrics/job/x HTTP/1.1\r\n\r\n", b"A" * 70_000, b"POST / HTTP/1.1\r\n" + b"a: b\r\n" * 100 + b"\r\n",
                 b"POST /metrics/job/x HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n", b"POST /metrics/job/x HTTP/1.1\nContent-Length: 0\n\n\r\n\r\n",
                 b"POST /metrics/job/x HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", b"\x16\x03\x01\x02\x00" + b"\r\n\r\n",
                 b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"POST /metrics/job/%2e%2e/%00/%zz HTTP/1.1\r\nContent-Length: 0\r\n\r\n",
                 b"POST /" + b"metrics/job/x" + b"/a/b" * 1_000 + b" HTTP/1.1\r\nContent-Length: 0\r\n\r\n"]
        got = [answer_to(agent, enemy, data) for data in table]
        expect(all(400 <= status <= 505 for status in got), f"answers {got}")
        agent.until("each counted", lambda page: refused(page, "pushgateway", "request") == before + len(table))
        return f"answers {sorted(set(got))}"

    def bodies(agent):
        many = "".join(f"a{number}_driver_DAGScheduler_job_activeJobs 1\n" for number in range(20_000)).encode()
        odd = [b"x" * 1_000_000, many, b"\n" * 1_000_000, b"\xff\xfe" * 400_000 + b"\n", b"a{" + b'b="c",' * 100_000 + b"} 1\n"]
        got = [answer_to(agent, enemy, post(body)) for body in odd]
        expect(all(status in (202, 400) for status in got), f"answers {got}")
        return f"a megabyte five times, answers {got}"

    def groups(agent):
        before = lines(agent.page(), "pushgateway", "budget", "team-b")
        body = f"{name}DAGScheduler_job_activeJobs 1\n".encode()
        got = [answer_to(agent, enemy, post(body, f"/metrics/job/x/g/{number}")) for number in range(200)]
        expect(got.count(202) == 8 and got.count(429) == 192, f"answers {sorted(set(got))}")
        agent.until("each counted", lambda page: lines(page, "pushgateway", "budget", "team-b") == before + 192)
        return "8 of 200 groups"

    def another_path(agent):
        before = lines(agent.page(), "pushgateway", "identity", "team-b")
        body = b"DAGScheduler_job_activeJobs 99\n"
        for path in (f"/metrics/job/{APP}", f"/metrics/job/x/instance/{APP}", "/metrics/job/x/role/executor/number/1"):
            expect(answer_to(agent, enemy, post(body, path)) == 403, path)
            expect(answer_to(agent, enemy, f"DELETE {path} HTTP/1.1\r\n\r\n".encode()) == 403, f"DELETE {path}")
        mangled = APP.replace("-", "_")
        expect(answer_to(agent, enemy, post(f"{mangled}_driver_DAGScheduler_job_activeJobs 99\n".encode())) == 202, "a line is counted, not refused")
        agent.until("lies", lambda page: lines(page, "pushgateway", "identity", "team-b") == before + 4)
        return "paths and names of another's application"

    return [dripping_heads, broken_requests, bodies, another_path, groups]
