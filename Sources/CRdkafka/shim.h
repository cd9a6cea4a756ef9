// librdkafka, and the in-process cluster it ships for tests.
#pragma once
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
