"""The stream of the companions test: reads a topic, 100 messages a batch, and commits what it has read for a consumer group, as streams do
whose lag somebody watches. companions_stream.py BOOTSTRAP TOPIC GROUP ROWS FOLDER

Writes FOLDER/ready.json with the application's id, stops the query after ROWS, writes FOLDER/done.json, and stays.
"""
import json
import os
import sys
import time

from pyspark.sql import SparkSession

bootstrap, topic, group, rows, folder = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]), sys.argv[5]
spark = SparkSession.builder.getOrCreate()
jvm = spark.sparkContext._jvm
settings = jvm.java.util.Properties()
settings.put("bootstrap.servers", bootstrap)
admin = jvm.org.apache.kafka.clients.admin.AdminClient.create(settings)


def put(name, what):
    with open(os.path.join(folder, name + ".new"), "w") as file:
        json.dump(what, file)
    os.rename(os.path.join(folder, name + ".new"), os.path.join(folder, name))


def commit(progress):
    offsets = jvm.java.util.HashMap()
    end = progress["sources"][0]["endOffset"]
    for partition, offset in (json.loads(end) if isinstance(end, str) else end)[topic].items():
        offsets.put(jvm.org.apache.kafka.common.TopicPartition(topic, int(partition)),
                    jvm.org.apache.kafka.clients.consumer.OffsetAndMetadata(offset))
    admin.alterConsumerGroupOffsets(group, offsets).all().get()


def seen(query):
    """[(batch, rows, rows arriving a second, rows processed a second)] of all batches up to now."""
    return [(p["batchId"], p["numInputRows"], p.get("inputRowsPerSecond"), p.get("processedRowsPerSecond"))
            for p in (json.loads(progress.json) for progress in query.recentProgress)]


source = spark.readStream.format("kafka").option("kafka.bootstrap.servers", bootstrap).option("subscribe", topic)
source = source.option("startingOffsets", "earliest").option("maxOffsetsPerTrigger", 100).load()
query = source.writeStream.queryName("orders").format("noop").trigger(processingTime="3 seconds").start()
put("ready.json", {"app_id": spark.sparkContext.applicationId})
while sum(batch[1] for batch in seen(query)) < rows:
    if query.exception():
        raise query.exception()
    put("progress.json", seen(query))
    if query.lastProgress:
        commit(json.loads(query.lastProgress.json))
    time.sleep(0.3)
query.stop()
commit(json.loads(query.lastProgress.json))
put("progress.json", seen(query))
put("done.json", {"rows": sum(batch[1] for batch in seen(query))})
time.sleep(3600)
