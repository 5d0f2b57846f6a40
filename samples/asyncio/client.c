/* A client that keeps to a rate and tries again, under a virtual clock: the lesson of backoff
 * decorators, token buckets and tests with a mocked `sleep`.
 *
 * Every ten seconds a dozen sensors are read from a service that answers "slow down" to whoever
 * asks too often, breaks off a connection now and then, and is down for a quarter of a minute at
 * half past. The program prints the first round and what an hour comes to.
 *
 * To notice: service and client know nothing of tests. bight_test_run gives them a clock that
 * jumps over every wait, and chance that follows from a seed, here 0: the hour takes some
 * milliseconds and is the same hour each time. With bight_run in its place the same functions
 * take an hour. */
#include <bight/errors.h>
#include <bight/gather.h>
#include <bight/rate_limiter.h>
#include <bight/retry.h>
#include <bight/scope.h>
#include <bight/testing.h>
#include <bight/ticker.h>
#include <bight/time.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define SENSORS 12
#define ROUND_MS 10000
#define ROUNDS 360

/* Two answers of the service after which another try is worth while. */
#define SLOW_DOWN BIGHT_EBUSY
#define BROKEN_OFF BIGHT_ECONNRESET

static uint64_t ms_since(uint64_t start_ns)
{
    return (bight_now_ns() - start_ns) / 1000000;
}

struct service {
    struct bight_rate_limiter allowed; /* per client, and there is one */
    uint64_t start_ns;
    unsigned requests, slow_downs, broken_off;
};

static int service_init(struct service *service)
{
    *service = (struct service){.start_ns = bight_now_ns()};
    return bight_rate_limiter_init(&service->allowed, 4, 1000, 4);
}

static bool service_is_down(const struct service *service)
{
    uint64_t ms = ms_since(service->start_ns);

    return ms >= 30 * 60000 && ms < 30 * 60000 + 15000;
}

/* One request: 0, SLOW_DOWN or BROKEN_OFF. */
static int service_ask(struct service *service)
{
    int rc = bight_sleep(50); /* the way there and back */

    if (rc)
        return rc;
    service->requests++;
    if (service_is_down(service) || service->requests % 12 == 0) {
        service->broken_off++;
        return BROKEN_OFF;
    }
    rc = bight_rate_limiter_try_acquire(&service->allowed, 1);
    if (rc != BIGHT_EAGAIN)
        return rc;
    service->slow_downs++;
    return SLOW_DOWN;
}

struct client {
    struct service *service;
    struct bight_rate_limiter rate;
    uint64_t start_ns;
    bool talks; /* prints every answer */
    uint64_t longest_round_ms;
    int given_up;
};

struct reading {
    struct client *client;
    int sensor;
    unsigned tries;
};

/* The rate is right; the burst is larger than the service likes, so there is something to see. */
static int client_init(struct client *client, struct service *service)
{
    *client = (struct client){.service = service, .start_ns = bight_now_ns()};
    return bight_rate_limiter_init(&client->rate, 4, 1000, 6);
}

static void print_answer(const struct reading *reading, int code)
{
    const char *answer = code == SLOW_DOWN ? "slow down" : code == BROKEN_OFF ? "broken off" : "ok";

    printf("%5" PRIu64 " ms  sensor %2d  try %u  %s\n", ms_since(reading->client->start_ns),
           reading->sensor, reading->tries, answer);
}

/* One try. Each try waits for its turn. */
static int ask(void *arg)
{
    struct reading *reading = arg;
    struct client *client = reading->client;
    int rc = bight_rate_limiter_acquire(&client->rate, 1);

    if (rc)
        return rc;
    reading->tries++;
    rc = service_ask(client->service);
    if (client->talks)
        print_answer(reading, rc);
    return rc;
}

static bool is_passing(void *arg, int code)
{
    (void)arg;
    return code == SLOW_DOWN || code == BROKEN_OFF;
}

static int ask_again(void *reading)
{
    const struct bight_retry_options policy = {
        .attempts = 6,
        .delay_ms = 400,
        .max_delay_ms = 3000,
        .jitter = BIGHT_JITTER_EQUAL,
        .again = is_passing,
    };

    return bight_retry_run(&policy, ask, reading);
}

static int read_sensor(void *reading)
{
    /* The next round begins then. */
    return bight_timeout(ROUND_MS - 1000, ask_again, reading);
}

/* Read all sensors. A reading that is given up stops neither the others nor the client. */
static int read_round(struct client *client)
{
    struct reading readings[SENSORS];
    uint64_t start_ns = bight_now_ns();
    int given_up;

    for (int i = 0; i < SENSORS; i++)
        readings[i] = (struct reading){.client = client, .sensor = i + 1};
    given_up = bight_map(read_sensor, readings, sizeof readings[0], SENSORS, SENSORS,
                         BIGHT_GATHER_COLLECT);
    if (given_up < 0)
        return given_up;
    if (given_up > 0)
        printf("%5" PRIu64 " s   %d readings given up\n", ms_since(client->start_ns) / 1000,
               given_up);
    client->given_up += given_up;
    if (client->longest_round_ms < ms_since(start_ns))
        client->longest_round_ms = ms_since(start_ns);
    return 0;
}

static int read_rounds(struct client *client)
{
    struct bight_ticker ticker;
    int rc = bight_ticker_init(&ticker, ROUND_MS, BIGHT_TICKER_SKIP);

    for (int i = 0; i < ROUNDS && rc >= 0; i++) {
        client->talks = i == 0;
        rc = read_round(client);
        if (rc == 0)
            rc = bight_ticker_wait(&ticker);
    }
    return rc < 0 ? rc : 0;
}

static void print_hour(const struct client *client)
{
    const struct service *service = client->service;

    printf("%5" PRIu64 " s   %d rounds, the longest %" PRIu64 " ms\n",
           ms_since(client->start_ns) / 1000, ROUNDS, client->longest_round_ms);
    printf("%u requests: %u slow down, %u broken off\n", service->requests, service->slow_downs,
           service->broken_off);
    printf("%d readings, %d given up\n", ROUNDS * SENSORS - client->given_up, client->given_up);
}

static int lesson(void *arg)
{
    struct service service;
    struct client client;
    int rc = service_init(&service);

    (void)arg;
    if (rc == 0)
        rc = client_init(&client, &service);
    if (rc == 0)
        rc = read_rounds(&client);
    if (rc == 0)
        print_hour(&client);
    return rc;
}

int main(void)
{
    const struct bight_test_options options = {.name = "client"};
    int rc = bight_test_run(&options, lesson, NULL, NULL);

    if (rc < 0)
        fprintf(stderr, "client: %s\n", bight_strerror(rc));
    return rc < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
