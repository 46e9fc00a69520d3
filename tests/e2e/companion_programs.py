"""The programs of the companions test: where they come from, how they are set up. Loopback addresses stand for pods, one each."""
import glob
import os
import socket
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
HOME = os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "flintgauge")
CACHE = os.path.join(HOME, "companions")
KAFKA = os.environ.get("KAFKA_VERSION", "3.9.1")
JMX_EXPORTER = os.environ.get("JMX_EXPORTER_VERSION", "1.0.1")
SPARK = os.environ.get("SPARK_VERSION", "4.3.0")
CONNECTOR = os.environ.get("SPARK_KAFKA_VERSION", "4.2.0")  # of Spark's Kafka source
CONNECTOR_PARTS = ("spark-sql-kafka-0-10", "spark-token-provider-kafka-0-10", "kafka-clients", "commons-pool2")
HUB_PACKAGES = ("jupyterhub==6.1.1", "jupyter_server==2.21.1", "ipykernel", "kafka-python==3.0.12")
BROKER, HUB, NOTEBOOK, STREAM, LAG = (f"127.79.0.{n}" for n in range(2, 7))
TOKEN = "a-token-of-the-test"
POM = """<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>e2e</groupId><artifactId>e2e</artifactId><version>1</version><packaging>pom</packaging><dependencies>{}
</dependencies></project>
"""
DEPENDENCY = "\n<dependency><groupId>{}</groupId><artifactId>{}</artifactId><version>{}</version></dependency>"
SERVER = """process.roles=broker,controller
node.id=1
controller.quorum.voters=1@{address}:{controller}
listeners=PLAINTEXT://{address}:{port},CONTROLLER://{address}:{controller}
controller.listener.names=CONTROLLER
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
offsets.topic.replication.factor=1
offsets.topic.num.partitions=2
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
log.dirs={folder}/kafka
"""
RULES = r"""lowercaseOutputName: true
rules:
- pattern: kafka.(\w+)<type=(.+), name=(.+)PerSec\w*, (.+)=(.+)><>Count
  name: kafka_$1_$2_$3_total
  type: COUNTER
  labels:
    "$4": "$5"
- pattern: kafka.(\w+)<type=(.+), name=(.+)PerSec\w*><>Count
  name: kafka_$1_$2_$3_total
  type: COUNTER
- pattern: kafka.(\w+)<type=(.+), name=(.+)><>Value
  name: kafka_$1_$2_$3
  type: GAUGE
"""
HUB_CONFIG = """from jupyterhub.proxy import Proxy


class NoProxy(Proxy):
    should_start = False
    routes = dict()

    async def add_route(self, routespec, target, data):
        self.routes[routespec] = dict(routespec=routespec, target=target, data=data)

    async def delete_route(self, routespec):
        self.routes.pop(routespec, None)

    async def get_all_routes(self):
        return dict(self.routes)


c.JupyterHub.proxy_class = NoProxy
c.JupyterHub.spawner_class = "simple"
c.JupyterHub.authenticator_class = "dummy"
c.Authenticator.allow_all = True
c.JupyterHub.authenticate_prometheus = False
c.JupyterHub.hub_ip = "{address}"
c.JupyterHub.hub_port = {port}
c.JupyterHub.bind_url = "http://{address}:{public}"
c.JupyterHub.cleanup_servers = True
c.JupyterHub.services = [dict(name="e2e", api_token="{token}")]
c.JupyterHub.load_roles = [dict(name="e2e", scopes=["admin:users", "admin:servers"], services=["e2e"])]
c.Spawner.args = ["--allow-root"]
c.Spawner.environment = dict(JUPYTERHUB_SINGLEUSER_APP="jupyter_server.serverapp.ServerApp")
c.Spawner.start_timeout = c.Spawner.http_timeout = 120
"""


def free_port(address):
    with socket.socket() as probe:
        probe.bind((address, 0))
        return probe.getsockname()[1]


def maven(*arguments):
    subprocess.run(["mvn", "-q", "-B", "-Dstyle.color=never", *arguments], cwd=CACHE, check=True)


def jars(name, *dependencies):
    """A folder with the dependencies and what they need."""
    folder = os.path.join(CACHE, name)
    if not os.path.isdir(folder):
        print(f"companions: {name} from Maven, about 1 min", file=sys.stderr, flush=True)
        with open(os.path.join(CACHE, "pom.xml"), "w") as file:
            file.write(POM.format("".join(DEPENDENCY.format(*one) for one in dependencies)))
        maven("dependency:copy-dependencies", "-DoutputDirectory=" + folder + ".part")
        os.rename(folder + ".part", folder)
    return folder


def kafka_libraries():
    return jars("kafka-" + KAFKA, ("org.apache.kafka", "kafka_2.13", KAFKA), ("org.apache.kafka", "kafka-tools", KAFKA)) + "/*"


def jmx_exporter():
    jar = os.path.join(CACHE, f"jmx_prometheus_javaagent-{JMX_EXPORTER}.jar")
    if not os.path.exists(jar):
        maven("dependency:copy", f"-Dartifact=io.prometheus.jmx:jmx_prometheus_javaagent:{JMX_EXPORTER}", "-DoutputDirectory=" + CACHE)
    return jar


def hub_programs():
    """bin of a venv with JupyterHub, a notebook server and a Kafka client."""
    home = os.path.join(CACHE, "hub")
    if not os.path.exists(os.path.join(home, "ok")):
        print("companions: JupyterHub from pip, about 1 min", file=sys.stderr, flush=True)
        subprocess.run([sys.executable, "-m", "venv", "--clear", home], check=True)
        subprocess.run([os.path.join(home, "bin", "pip"), "install", "-q", *HUB_PACKAGES], check=True)
        open(os.path.join(home, "ok"), "w").close()
    return os.path.join(home, "bin")


def spark_programs():
    """(Spark's home, its Python, the jars of its Kafka source)"""
    subprocess.run([os.path.join(ROOT, "tests/tools/run_spark"), "--install-only", "--version", SPARK], check=True, stdout=sys.stderr)
    scala = "2.12" if SPARK.startswith("3.") else "2.13"
    folder = jars("spark-kafka-" + CONNECTOR, ("org.apache.spark", "spark-sql-kafka-0-10_" + scala, CONNECTOR))
    parts = [jar for part in CONNECTOR_PARTS for jar in glob.glob(f"{folder}/{part}*.jar")]  # the rest comes with Spark
    venv = os.path.join(HOME, "spark-" + SPARK, "venv")
    return glob.glob(venv + "/lib/python3*/site-packages/pyspark")[0], venv + "/bin/python", parts


def install():
    os.makedirs(CACHE, exist_ok=True)
    return kafka_libraries(), jmx_exporter(), hub_programs(), spark_programs()
