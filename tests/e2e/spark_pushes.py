"""The network between Spark's sinks and the agents' listeners.

All JVMs on loopback send from 127.0.0.1, and Spark has one address of a sink for all of them. Here each report goes on to the agents
from the address of its JVM's pod, which is found by the id that Spark puts into every name. Bytes are as Spark's sinks send them.
"""
import contextlib
import re
import socket
import threading

INSTANCE = re.compile(rb"[^ .]+\.(driver|\d+)\.")  # app-20261127-0001.driver.jvm.heap.max; the first reports have no id


class Network:
    """`address_of(instance)`: of "driver" or of an executor's number. Agents' ports may be added at any time."""

    def __init__(self, address_of):
        self.address_of, self.graphite_to, self.statsd_to, self.reports = address_of, [], [], {"graphite": 0, "statsd": 0}
        self.lines = socket.create_server(("127.0.0.1", 0))
        self.datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.datagrams.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self.datagrams.bind(("127.0.0.1", 0))
        self.sinks = [f"graphite=127.0.0.1:{self.lines.getsockname()[1]}", f"statsd=127.0.0.1:{self.datagrams.getsockname()[1]}"]
        self.senders = {}
        for work in (self.accept, self.receive):
            threading.Thread(target=work, daemon=True).start()

    def close(self):
        for one in (self.lines, self.datagrams, *self.senders.values()):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                peer, _ = self.lines.accept()
                threading.Thread(target=self.pass_report, args=(peer,), daemon=True).start()

    def pass_report(self, peer):
        """GraphiteSink: a connection for each report, of one JVM."""
        report = b""
        with peer, contextlib.suppress(OSError):
            while part := peer.recv(1 << 16):
                report += part
        lines = [line for line in report.splitlines(keepends=True) if INSTANCE.match(line)]
        if not lines:
            return
        self.reports["graphite"] += 1
        source = (self.address_of(INSTANCE.match(lines[0])[1].decode()), 0)
        for port in self.graphite_to:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 10, source) as to:
                to.sendall(b"".join(lines))

    def receive(self):
        """StatsdSink: a datagram for each metric."""
        with contextlib.suppress(OSError):
            while True:
                datagram = self.datagrams.recv(1 << 16)
                if found := INSTANCE.match(datagram):
                    self.reports["statsd"] += 1
                    self.pass_datagram(found[1].decode(), datagram)

    def pass_datagram(self, instance, datagram):
        if instance not in self.senders:
            self.senders[instance] = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self.senders[instance].bind((self.address_of(instance), 0))
        for port in self.statsd_to:
            with contextlib.suppress(OSError):  # nobody listens yet
                self.senders[instance].sendto(datagram, ("127.0.0.1", port))
