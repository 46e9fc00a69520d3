"""Stands in for kafka_exporter, which no package registry has: companions_lag.py ADDRESS PORT BOOTSTRAP

Serves kafka_consumergroup_lag of every consumer group under its names; asks the broker anew each time.
"""
import http.server
import sys

from kafka import KafkaAdminClient, KafkaConsumer

address, port, bootstrap = sys.argv[1], int(sys.argv[2]), sys.argv[3]
admin = KafkaAdminClient(bootstrap_servers=bootstrap)
consumer = KafkaConsumer(bootstrap_servers=bootstrap, group_id=None)


def page():
    lines = ["# TYPE kafka_consumergroup_lag gauge"]
    for group in sorted(entry["group_id"] for entry in admin.list_groups()):
        committed = admin.list_group_offsets(group)[group]  # {partition: committed offset}
        ends = consumer.end_offsets(list(committed))
        for partition, offset in sorted(committed.items()):
            labels = f'consumergroup="{group}",partition="{partition.partition}",topic="{partition.topic}"'
            lines.append(f"kafka_consumergroup_lag{{{labels}}} {ends[partition] - offset.offset}")
    return "\n".join(lines) + "\n"


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = page().encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


http.server.HTTPServer((address, port), Handler).serve_forever()
