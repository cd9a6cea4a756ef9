#include "CBaselines.h"
#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <time.h>

enum { BATCH = 2000 };

// Set by the acknowledgements of the one copy there is at a time.
struct progress {
  size_t acknowledged, failed;
  bool is_lost; // records were dropped before they were read
};

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void acknowledge(rd_kafka_t *client, const rd_kafka_message_t *message, void *opaque) {
  (void)client;
  struct progress *progress = opaque;
  if (message->err) progress->failed++;
  else progress->acknowledged++;
}

static rd_kafka_t *make_client(
    rd_kafka_type_t type, const char *const *settings, struct progress *progress, char *explanation, size_t size) {
  rd_kafka_conf_t *conf = rd_kafka_conf_new();
  for (; settings[0]; settings += 2) {
    if (rd_kafka_conf_set(conf, settings[0], settings[1], explanation, size) != RD_KAFKA_CONF_OK) {
      rd_kafka_conf_destroy(conf);
      return NULL;
    }
  }
  if (type == RD_KAFKA_PRODUCER) {
    rd_kafka_conf_set_dr_msg_cb(conf, acknowledge);
    rd_kafka_conf_set_opaque(conf, progress);
  }
  rd_kafka_t *client = rd_kafka_new(type, conf, explanation, size);
  if (!client) rd_kafka_conf_destroy(conf);
  return client;
}

// Seconds without a record or an acknowledgement after which a copy is given up.
static const double patience = 60;

// False when there was no room for too long.
static bool produce(rd_kafka_t *producer, rd_kafka_topic_t *topic, const rd_kafka_message_t *message) {
  rd_kafka_timestamp_type_t type;
  int64_t timestamp = rd_kafka_message_timestamp(message, &type);
  double start = now();
  while (rd_kafka_producev(
             producer, RD_KAFKA_V_RKT(topic), RD_KAFKA_V_PARTITION(message->partition),
             RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_KEY(message->key, message->key_len),
             RD_KAFKA_V_VALUE(message->payload, message->len), RD_KAFKA_V_TIMESTAMP(timestamp < 0 ? 0 : timestamp),
             RD_KAFKA_V_END) == RD_KAFKA_RESP_ERR__QUEUE_FULL) {
    if (now() - start > patience) return false;
    rd_kafka_poll(producer, 10);
  }
  return true;
}

static double copy(
    rd_kafka_t *consumer, rd_kafka_t *producer, const char *source, const char *sink, int32_t partitions,
    size_t records, struct progress *progress) {
  rd_kafka_topic_t *topic = rd_kafka_topic_new(producer, sink, NULL);
  rd_kafka_poll_set_consumer(consumer);
  rd_kafka_queue_t *queue = rd_kafka_queue_get_consumer(consumer);
  rd_kafka_topic_partition_list_t *all = rd_kafka_topic_partition_list_new(partitions);
  for (int32_t partition = 0; partition < partitions; partition++)
    rd_kafka_topic_partition_list_add(all, source, partition)->offset = RD_KAFKA_OFFSET_BEGINNING;
  double start = now(), last = start;
  rd_kafka_assign(consumer, all);
  size_t read = 0;
  bool is_stuck = false;
  rd_kafka_message_t *batch[BATCH];
  while (progress->acknowledged < records && !progress->failed && !progress->is_lost && !is_stuck &&
         now() - last < patience) {
    ssize_t count = read < records ? rd_kafka_consume_batch_queue(queue, 100, batch, BATCH) : 0;
    for (ssize_t index = 0; index < count; index++) {
      if (!batch[index]->err && read < records && !is_stuck) {
        is_stuck = !produce(producer, topic, batch[index]);
        read++;
        last = now();
      }
      // Of what else goes wrong, librdkafka tells as well, and tries again.
      progress->is_lost |= batch[index]->err == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET;
      rd_kafka_message_destroy(batch[index]);
    }
    size_t before = progress->acknowledged;
    rd_kafka_poll(producer, read < records ? 0 : 100);
    if (progress->acknowledged > before) last = now();
  }
  double seconds = progress->acknowledged == records ? now() - start : -1;
  rd_kafka_topic_partition_list_destroy(all);
  rd_kafka_queue_destroy(queue);
  rd_kafka_topic_destroy(topic);
  return seconds;
}

double copy_topic(
    const char *const *consumer_settings, const char *const *producer_settings, const char *source, const char *sink,
    int32_t partitions, size_t records, char *explanation, size_t size) {
  struct progress progress = {0, 0, false};
  double seconds = -1;
  rd_kafka_t *consumer = make_client(RD_KAFKA_CONSUMER, consumer_settings, &progress, explanation, size);
  if (!consumer) return seconds;
  rd_kafka_t *producer = make_client(RD_KAFKA_PRODUCER, producer_settings, &progress, explanation, size);
  if (producer) {
    seconds = copy(consumer, producer, source, sink, partitions, records, &progress);
    if (seconds < 0)
      snprintf(explanation, size, "%zu of %zu records were copied, %zu refused%s", progress.acknowledged, records,
               progress.failed, progress.is_lost ? "; the broker dropped others before they were read" : "");
    rd_kafka_flush(producer, 1000);
    rd_kafka_destroy(producer);
  }
  rd_kafka_consumer_close(consumer);
  rd_kafka_destroy(consumer);
  return seconds;
}
