/*
 * The reference ceiling: what plain blocking sockets reach with the same commands.
 *
 *   cc -O2 -o rawloop rawloop.c -lpthread
 *   ./rawloop --host 127.0.0.1 --port 6379 --chunk-mib 32 --batch 8 --rounds 9 --connections 4
 *
 * One thread per connection; chunk i of a batch belongs to connection i mod connections.
 *   put  writev(SET <key>kv_bytes <payload> SET <key>metadata <28-byte header>), then two replies
 *   get  send(GET <key>metadata GET <key>kv_bytes), then both replies; the payload is received
 *        into a buffer allocated and touched before
 * With --depth batch a connection sends the requests of all its chunks before it reads a reply (for
 * get; a put still waits chunk by chunk, or both sides' socket buffers could fill up).
 * A round is timed from the moment that all threads are released to the moment that the last one is
 * done. CPU is this process's user and system time over the timed rounds. One JSON object results.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define HEADER_BYTES 28

static const char *host = "127.0.0.1";
static const char *port = "6379";
static size_t chunk = 32u << 20;
static int batch = 8, rounds = 9, warmup = 2, connections = 4, deep = 0;

static unsigned char **payloads; /* what is written, one per chunk */
static unsigned char **targets;  /* where it is read to, one per chunk */
static pthread_barrier_t go, done;
static volatile int mode; /* 0 end, 1 put, 2 get */

struct connection {
    int fd;
    int index;
    size_t have, at; /* received bytes that were not used yet */
    char buffer[16384];
};

static void fail(const char *what) {
    fprintf(stderr, "rawloop: %s: %s\n", what, errno ? strerror(errno) : "unexpected reply");
    exit(1);
}

static int dial(void) {
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found;
    if (getaddrinfo(host, port, &hints, &found) != 0) fail("address");
    int fd = socket(found->ai_family, SOCK_STREAM, 0);
    if (fd < 0 || connect(fd, found->ai_addr, found->ai_addrlen) != 0) fail("connect");
    int one = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    freeaddrinfo(found);
    return fd;
}

static void write_all(int fd, struct iovec *vector, int count) {
    while (count > 0) {
        ssize_t n = writev(fd, vector, count);
        if (n < 0) {
            if (errno == EINTR) continue;
            fail("write");
        }
        while (count > 0 && (size_t)n >= vector->iov_len) {
            n -= (ssize_t)vector->iov_len;
            vector++;
            count--;
        }
        if (count > 0) {
            vector->iov_base = (char *)vector->iov_base + n;
            vector->iov_len -= (size_t)n;
        }
    }
}

/* One CRLF-ended line, without its end. */
static void read_line(struct connection *c, char *line, size_t room) {
    size_t n = 0;
    for (;;) {
        if (c->at == c->have) {
            ssize_t got = recv(c->fd, c->buffer, sizeof c->buffer, 0);
            if (got <= 0) fail("read");
            c->have = (size_t)got;
            c->at = 0;
        }
        char b = c->buffer[c->at++];
        if (b == '\n') {
            if (n > 0 && line[n - 1] == '\r') n--;
            line[n] = 0;
            return;
        }
        if (n + 1 >= room) fail("line too long");
        line[n++] = b;
    }
}

static void read_bytes(struct connection *c, unsigned char *target, size_t length) {
    size_t n = c->have - c->at;
    if (n > length) n = length;
    memcpy(target, c->buffer + c->at, n);
    c->at += n;
    while (n < length) {
        ssize_t got = recv(c->fd, target + n, length - n, MSG_WAITALL);
        if (got <= 0) {
            if (got < 0 && errno == EINTR) continue;
            fail("read");
        }
        n += (size_t)got;
    }
}

static void expect_ok(struct connection *c) {
    char line[256];
    read_line(c, line, sizeof line);
    if (strcmp(line, "+OK") != 0) {
        fprintf(stderr, "rawloop: %s\n", line);
        exit(1);
    }
}

static void read_bulk(struct connection *c, unsigned char *target, size_t length) {
    char line[256];
    unsigned char end[2];
    read_line(c, line, sizeof line);
    if (line[0] != '$' || strtoull(line + 1, NULL, 10) != length) {
        fprintf(stderr, "rawloop: %s instead of %zu bytes\n", line, length);
        exit(1);
    }
    read_bytes(c, target, length);
    read_bytes(c, end, 2);
}

static void key_of(int i, char *key, size_t room) {
    snprintf(key, room, "lmcache4j-bench@1@0@%x@bfloat16", 1000 + i);
}

static void put_one(struct connection *c, int i) {
    char key[128], first[256], second[320];
    int32_t header[7] = {(int32_t)chunk, 1, 3, 2, (int32_t)(chunk >> 20), 256, 1024};
    key_of(i, key, sizeof key);
    int a = snprintf(first, sizeof first, "*3\r\n$3\r\nSET\r\n$%zu\r\n%skv_bytes\r\n$%zu\r\n",
                     strlen(key) + 8, key, chunk);
    int b = snprintf(second, sizeof second, "\r\n*3\r\n$3\r\nSET\r\n$%zu\r\n%smetadata\r\n$%d\r\n",
                     strlen(key) + 8, key, HEADER_BYTES);
    memcpy(second + b, header, HEADER_BYTES);
    memcpy(second + b + HEADER_BYTES, "\r\n", 2);
    struct iovec vector[3] = {{first, (size_t)a},
                              {payloads[i], chunk},
                              {second, (size_t)b + HEADER_BYTES + 2}};
    write_all(c->fd, vector, 3);
    expect_ok(c);
    expect_ok(c);
}

static void ask_one(struct connection *c, int i) {
    char key[128], request[512];
    key_of(i, key, sizeof key);
    int n = snprintf(request, sizeof request,
                     "*2\r\n$3\r\nGET\r\n$%zu\r\n%smetadata\r\n*2\r\n$3\r\nGET\r\n$%zu\r\n%skv_bytes\r\n",
                     strlen(key) + 8, key, strlen(key) + 8, key);
    struct iovec vector[1] = {{request, (size_t)n}};
    write_all(c->fd, vector, 1);
}

static void take_one(struct connection *c, int i) {
    unsigned char header[HEADER_BYTES];
    int32_t length;
    read_bulk(c, header, HEADER_BYTES);
    memcpy(&length, header, 4);
    if ((size_t)length != chunk) fail("header");
    read_bulk(c, targets[i], chunk);
}

static void *run(void *argument) {
    struct connection *c = argument;
    for (;;) {
        pthread_barrier_wait(&go);
        if (mode == 0) return NULL;
        if (mode == 1) {
            for (int i = c->index; i < batch; i += connections) put_one(c, i);
        } else if (deep) {
            for (int i = c->index; i < batch; i += connections) ask_one(c, i);
            for (int i = c->index; i < batch; i += connections) take_one(c, i);
        } else {
            for (int i = c->index; i < batch; i += connections) {
                ask_one(c, i);
                take_one(c, i);
            }
        }
        pthread_barrier_wait(&done);
    }
}

static double now(clockid_t clock) {
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void one_round(int what, double *wall, double *cpu) {
    mode = what;
    double c = now(CLOCK_PROCESS_CPUTIME_ID), w = now(CLOCK_MONOTONIC);
    pthread_barrier_wait(&go);
    pthread_barrier_wait(&done);
    *wall = now(CLOCK_MONOTONIC) - w;
    *cpu = now(CLOCK_PROCESS_CPUTIME_ID) - c;
}

static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static double middle(double *values, int count) {
    qsort(values, (size_t)count, sizeof *values, ascending);
    return count % 2 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}

static void measure(int what, const char *name) {
    double gib = (double)chunk * batch / (double)(1u << 30);
    double *speed = calloc((size_t)rounds, sizeof *speed);
    double *cost = calloc((size_t)rounds, sizeof *cost);
    double wall, cpu;
    for (int r = 0; r < warmup; r++) one_round(what, &wall, &cpu);
    printf("\"%s\": {\"rounds_s\": [", name);
    for (int r = 0; r < rounds; r++) {
        one_round(what, &wall, &cpu);
        speed[r] = gib / wall;
        cost[r] = cpu / gib;
        printf("%s%.5f", r ? ", " : "", wall);
    }
    double median = middle(speed, rounds);
    printf("], \"gib_per_s\": %.4f, \"gib_per_s_min\": %.4f, \"gib_per_s_max\": %.4f, "
           "\"cpu_s_per_gib\": %.4f}",
           median, speed[0], speed[rounds - 1], middle(cost, rounds));
    free(speed);
    free(cost);
}

int main(int count, char **words) {
    int keep = 0;
    for (int i = 1; i < count; i++) {
        const char *name = words[i];
        if (strcmp(name, "--keep") == 0) {
            keep = 1;
            continue;
        }
        if (i + 1 >= count) fail("an option lacks its value");
        const char *value = words[++i];
        if (!strcmp(name, "--host")) host = value;
        else if (!strcmp(name, "--port")) port = value;
        else if (!strcmp(name, "--chunk-mib")) chunk = (size_t)atoi(value) << 20;
        else if (!strcmp(name, "--batch")) batch = atoi(value);
        else if (!strcmp(name, "--rounds")) rounds = atoi(value);
        else if (!strcmp(name, "--warmup")) warmup = atoi(value);
        else if (!strcmp(name, "--connections") || !strcmp(name, "--threads"))
            connections = atoi(value);
        else if (!strcmp(name, "--depth")) deep = !strcmp(value, "batch");
        else {
            fprintf(stderr, "rawloop: unknown option %s\n", name);
            return 2;
        }
    }
    if (batch < 1 || rounds < 1 || connections < 1 || chunk < 1 || chunk >= (1u << 31)) {
        fprintf(stderr, "rawloop: options out of range\n");
        return 2;
    }
    payloads = calloc((size_t)batch, sizeof *payloads);
    targets = calloc((size_t)batch, sizeof *targets);
    for (int i = 0; i < batch; i++) {
        payloads[i] = malloc(chunk);
        targets[i] = malloc(chunk);
        if (!payloads[i] || !targets[i]) fail("memory");
        for (size_t k = 0; k < chunk; k++) payloads[i][k] = (unsigned char)((k + (size_t)i) * 7 % 251);
        memset(targets[i], 0, chunk);
    }
    pthread_barrier_init(&go, NULL, (unsigned)connections + 1);
    pthread_barrier_init(&done, NULL, (unsigned)connections + 1);
    struct connection *all = calloc((size_t)connections, sizeof *all);
    pthread_t *threads = calloc((size_t)connections, sizeof *threads);
    for (int i = 0; i < connections; i++) {
        all[i].fd = dial();
        all[i].index = i;
        if (pthread_create(&threads[i], NULL, run, &all[i]) != 0) fail("thread");
    }
    printf("{\"peer\": \"raw C loop\", \"chunk_bytes\": %zu, \"batch\": %d, \"rounds\": %d, "
           "\"warmup\": %d, \"connections\": %d, \"depth\": \"%s\", ",
           chunk, batch, rounds, warmup, connections, deep ? "batch" : "chunk");
    measure(1, "put");
    printf(", ");
    measure(2, "get");
    printf("}\n");
    for (int i = 0; i < batch; i++) {
        if (memcmp(payloads[i], targets[i], chunk) != 0) {
            errno = 0;
            fail("other bytes came back");
        }
    }
    mode = 0;
    pthread_barrier_wait(&go);
    for (int i = 0; i < connections; i++) pthread_join(threads[i], NULL);
    for (int i = 0; !keep && i < batch; i++) {
        char key[128], request[512], line[64];
        key_of(i, key, sizeof key);
        int n = snprintf(request, sizeof request,
                         "*3\r\n$3\r\nDEL\r\n$%zu\r\n%skv_bytes\r\n$%zu\r\n%smetadata\r\n",
                         strlen(key) + 8, key, strlen(key) + 8, key);
        struct iovec vector[1] = {{request, (size_t)n}};
        write_all(all[0].fd, vector, 1);
        read_line(&all[0], line, sizeof line);
    }
    return 0;
}
