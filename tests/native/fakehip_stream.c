/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The fake's streams, events and copies.
 *
 * Each stream is a thread with a queue. A copy reads its source when it runs, after a pause, never
 * when it is queued; its destination is undefined from its start to its end and is poisoned
 * meanwhile if that is host memory. So a buffer that is used again too early shows.
 *
 * Every operation has a number, growing over all streams. Whoever waits for "everything so far" waits
 * until no stream has an operation up to the last number. Copies of one direction on one device
 * share an engine and run one after the other, whatever their streams.
 */
#define _GNU_SOURCE
#include "fakehip_internal.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Copied between two looks at the clock when there is a bandwidth to keep. */
#define SLICE ((size_t)256 * 1024)
/* Up to this size 6.4 takes a copy from pageable memory into a buffer of its own and returns. */
#define STAGING_BYTES ((size_t)1 << 20)
#define MAX_LOG 65536
#define FILL (-1)

/* What an event marks: one record of it. Later records of the event do not change it. */
typedef struct event_record {
  int references;
  bool done;
  int64_t ns;
  hipError_t code;
} event_record;

typedef struct event {
  hipEvent_t handle;
  unsigned flags;
  int device;
  event_record *latest;
  struct event *next;
} event;

enum operation_kind { OPERATION_COPY, OPERATION_RECORD, OPERATION_WAIT, OPERATION_HOST_FUNCTION };

/* A copy is rows of width bytes; a plain one is one row. Pointers are those of this process. */
typedef struct copy {
  char *dst;
  const char *src;
  size_t dpitch, spitch, width, height;
  uint64_t dst_address, src_address; /* as the client named them */
  int direction;
  int fill_byte;
  char *staging;
  bool pageable;
  allocation *dst_memory, *src_memory;
  int64_t queued;
} copy;

typedef struct operation {
  enum operation_kind kind;
  uint64_t number;
  copy copy;
  event_record *record;
  hipHostFn_t function;
  void *argument;
  struct operation *next;
} operation;

typedef struct stream {
  hipStream_t handle;
  int device;
  unsigned flags;
  bool is_default;   /* the device's default stream */
  bool destroyed;    /* no handle any more; its thread ends when the queue is empty */
  int references;    /* list or thread, and those who wait */
  operation *head, *tail;
  struct stream *next;
} stream;

static stream *streams;
static event *events;
static uint64_t last_number;
static uint64_t last_handle;
static fakehip_copy *copy_log;
static size_t log_size;
static pthread_key_t thread_streams_key;

/* Handles are no addresses at all, so that nobody follows one, and no two are ever the same. */
static uintptr_t new_handle_locked(void) { return UINT64_C(0x0F1A500000000000) | ++last_handle << 4; }

_Noreturn void gpu_fault(const void *address, const char *why) {
  fprintf(stderr, "Memory access fault by GPU node-1 on address %p. Reason: %s.\n", address, why);
  abort();
}

/* Queues. */

uint64_t last_operation_locked(void) { return last_number; }

static bool has_up_to(const stream *s, uint64_t number) {
  return s->head != NULL && s->head->number <= number;
}

static void wait_change_locked(void) { pthread_cond_wait(&fake_changed, &fake_lock); }

static void drop_locked(stream *s) {
  if (--s->references == 0) {
    free(s);
  }
}

/* Returns what the stream's device is lost with, or hipSuccess. */
static hipError_t wait_stream_locked(stream *s, uint64_t number) {
  s->references++;
  while (has_up_to(s, number)) {
    wait_change_locked();
  }
  hipError_t code = devices[s->device].lost;
  drop_locked(s);
  return code;
}

static bool device_has_up_to_locked(int ordinal, uint64_t number) {
  for (const stream *s = streams; s != NULL; s = s->next) {
    if (s->device == ordinal && has_up_to(s, number)) {
      return true;
    }
  }
  return false;
}

void drain_device_locked(int ordinal, uint64_t number) {
  while (device_has_up_to_locked(ordinal, number)) {
    wait_change_locked();
  }
}

/* The default stream and every stream that is not "non blocking" order themselves by each other. */
static bool is_ordered_with(const stream *s, const stream *other) {
  return s != other && s->device == other->device && (s->is_default || other->is_default)
      && ((s->flags | other->flags) & FLAG_STREAM_NON_BLOCKING) == 0;
}

static bool others_have_up_to_locked(const stream *s, uint64_t number) {
  for (const stream *other = streams; other != NULL; other = other->next) {
    if (is_ordered_with(s, other) && has_up_to(other, number)) {
      return true;
    }
  }
  return false;
}

static operation *enqueue_locked(stream *s, operation filled) {
  operation *queued = malloc(sizeof *queued);
  if (queued == NULL) {
    abort();
  }
  *queued = filled;
  queued->number = ++last_number;
  queued->next = NULL;
  if (s->tail == NULL) {
    s->head = queued;
  } else {
    s->tail->next = queued;
  }
  s->tail = queued;
  count.pending++;
  pthread_cond_broadcast(&fake_changed);
  return queued;
}

static void drop_record_locked(event_record *record) {
  if (record != NULL && --record->references == 0) {
    free(record);
  }
}

/* Running. */

static void pause_ns(int64_t ns) {
  struct timespec left = {.tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000};
  while (ns > 0 && nanosleep(&left, &left) != 0 && errno == EINTR) {
  }
}

static void move_bytes(const copy *c, uint64_t bandwidth, int64_t started) {
  uint64_t moved = 0;
  bool scribble = c->direction == hipMemcpyDeviceToHost;
  for (size_t row = 0; scribble && row < c->height; row++) {
    memset(c->dst + row * c->dpitch, POISON, c->width);
  }
  for (size_t row = 0; row < c->height; row++) {
    char *to = c->dst + row * c->dpitch;
    for (size_t done = 0; done < c->width;) {
      size_t part = c->width - done;
      if (bandwidth != 0 && part > SLICE) {
        part = SLICE;
      }
      if (c->direction == FILL) {
        memset(to + done, c->fill_byte, part);
      } else {
        memmove(to + done, c->src + row * c->spitch + done, part);
      }
      done += part;
      moved += part;
      if (bandwidth != 0) {
        pause_ns(started + (int64_t)((double)moved / (double)bandwidth * 1e9) - now_ns());
      }
    }
  }
}

static size_t extent(size_t pitch, size_t width, size_t height) {
  return (height - 1) * pitch + width;
}

static void check_registered_locked(const allocation *memory) {
  if (memory != NULL && memory->kind == MEMORY_REGISTERED
      && !is_mapped(memory->address, memory->size)) {
    gpu_fault(memory->address, "registered memory was unmapped");
  }
}

static enum engine engine_of(int direction) {
  switch (direction) {
    case hipMemcpyHostToDevice:
      return ENGINE_TO_DEVICE;
    case hipMemcpyDeviceToHost:
      return ENGINE_TO_HOST;
    default:
      return ENGINE_WITHIN;
  }
}

static void log_copy_locked(
    const stream *s, const copy *c, int64_t started, int64_t ended, hipError_t code) {
  if (copy_log == NULL) {
    copy_log = malloc(MAX_LOG * sizeof *copy_log);
  }
  if (copy_log == NULL || log_size == MAX_LOG) {
    return;
  }
  copy_log[log_size++] = (fakehip_copy){
      .stream = (uint64_t)s->handle,
      .dst = c->dst_address,
      .src = c->src_address,
      .bytes = c->width * c->height,
      .queued = c->queued,
      .started = started,
      .ended = ended,
      .device = s->device,
      .direction = c->direction,
      .code = (int32_t)code,
      .pageable = c->pageable,
  };
}

static void run_copy_locked(stream *s, copy *c) {
  device *owner = &devices[s->device];
  enum engine engine = engine_of(c->direction);
  while (copies_held && copies_let == 0) {
    wait_change_locked();
  }
  if (copies_held) {
    copies_let--;
  }
  int64_t delay = config.delay_us * 1000;
  pthread_mutex_unlock(&fake_lock);
  pause_ns(delay);
  pthread_mutex_lock(&fake_lock);
  while (owner->engine_busy[engine]) {
    wait_change_locked();
  }
  owner->engine_busy[engine] = true;
  int64_t started = now_ns();
  hipError_t fault = owner->lost == hipSuccess ? fault_locked("copy") : hipSuccess;
  if (fault != hipSuccess) {
    owner->lost = fault;
  }
  if (owner->lost == hipSuccess) {
    check_registered_locked(c->dst_memory);
    check_registered_locked(c->src_memory);
    uint64_t bandwidth = config.bandwidth;
    pthread_mutex_unlock(&fake_lock);
    move_bytes(c, bandwidth, started);
    pthread_mutex_lock(&fake_lock);
    count.copies++;
    count.bytes += (int64_t)(c->width * c->height);
  }
  owner->engine_busy[engine] = false;
  log_copy_locked(s, c, started, now_ns(), owner->lost);
  if (c->dst_memory != NULL) {
    c->dst_memory->uses--;
  }
  if (c->src_memory != NULL) {
    c->src_memory->uses--;
  }
  free(c->staging);
}

static void run_locked(stream *s, operation *o) {
  switch (o->kind) {
    case OPERATION_COPY:
      run_copy_locked(s, &o->copy);
      break;
    case OPERATION_RECORD:
      o->record->ns = now_ns();
      o->record->code = devices[s->device].lost;
      o->record->done = true;
      drop_record_locked(o->record);
      break;
    case OPERATION_WAIT:
      while (!o->record->done) {
        wait_change_locked();
      }
      drop_record_locked(o->record);
      break;
    case OPERATION_HOST_FUNCTION:
      if (devices[s->device].lost == hipSuccess) {
        pthread_mutex_unlock(&fake_lock);
        in_host_function = true;
        o->function(o->argument);
        in_host_function = false;
        pthread_mutex_lock(&fake_lock);
      }
      break;
  }
}

static void *work(void *argument) {
  stream *s = argument;
  pthread_mutex_lock(&fake_lock);
  for (;;) {
    while (s->head == NULL && !s->destroyed) {
      wait_change_locked();
    }
    operation *o = s->head;
    if (o == NULL) {
      break;
    }
    while (others_have_up_to_locked(s, o->number)) {
      wait_change_locked();
    }
    run_locked(s, o);
    s->head = o->next;
    if (s->head == NULL) {
      s->tail = NULL;
    }
    free(o);
    count.pending--;
    pthread_cond_broadcast(&fake_changed);
  }
  stream **link = &streams;
  while (*link != s) {
    link = &(*link)->next;
  }
  *link = s->next;
  drop_locked(s);
  pthread_mutex_unlock(&fake_lock);
  return NULL;
}

/* Streams. */

static stream *new_stream_locked(int ordinal, unsigned flags) {
  stream *s = calloc(1, sizeof *s);
  if (s == NULL) {
    return NULL;
  }
  s->device = ordinal;
  s->flags = flags;
  s->references = 1;
  sigset_t all, before;
  pthread_t thread;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  int failure = pthread_create(&thread, NULL, work, s);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  if (failure != 0) {
    free(s);
    return NULL;
  }
  pthread_detach(thread);
  s->next = streams;
  streams = s;
  return s;
}

static stream *default_stream_locked(int ordinal) {
  for (stream *s = streams; s != NULL; s = s->next) {
    if (s->is_default && s->device == ordinal) {
      return s;
    }
  }
  stream *s = new_stream_locked(ordinal, 0);
  if (s == NULL) {
    abort();
  }
  s->is_default = true;
  return s;
}

static void end_thread_streams(void *argument) {
  stream **own = argument;
  pthread_mutex_lock(&fake_lock);
  for (int i = 0; i < MAX_DEVICES; i++) {
    if (own[i] != NULL) {
      own[i]->destroyed = true;
    }
  }
  pthread_cond_broadcast(&fake_changed);
  pthread_mutex_unlock(&fake_lock);
  free(own);
}

static void make_thread_streams_key(void) {
  if (pthread_key_create(&thread_streams_key, end_thread_streams) != 0) {
    abort();
  }
}

static stream *thread_stream_locked(void) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, make_thread_streams_key);
  stream **own = pthread_getspecific(thread_streams_key);
  if (own == NULL) {
    own = calloc(MAX_DEVICES, sizeof *own);
    if (own == NULL || pthread_setspecific(thread_streams_key, own) != 0) {
      abort();
    }
  }
  if (own[current_device] == NULL) {
    own[current_device] = new_stream_locked(current_device, 0);
    if (own[current_device] == NULL) {
      abort();
    }
  }
  return own[current_device];
}

/* Up to 6.x a dead handle is noticed; from 7.0 on it is followed. */
static stream *find_stream_locked(hipStream_t handle) {
  if (handle == NULL || (uintptr_t)handle == HANDLE_STREAM_LEGACY) {
    return default_stream_locked(current_device);
  }
  if ((uintptr_t)handle == HANDLE_STREAM_PER_THREAD) {
    return thread_stream_locked();
  }
  for (stream *s = streams; s != NULL; s = s->next) {
    if (s->handle == handle && !s->destroyed) {
      return s;
    }
  }
  violation_locked("stream %p does not exist, or no more", (void *)handle);
  if (major_version() >= 7) {
    (void)*(volatile char *)handle;
    abort();
  }
  return NULL;
}

static hipError_t create_stream_locked(hipStream_t *handle, unsigned flags) {
  if (handle == NULL || (flags & ~FLAG_STREAM_NON_BLOCKING) != 0) {
    return hipErrorInvalidValue;
  }
  stream *s = new_stream_locked(current_device, flags);
  if (s == NULL) {
    return hipErrorOutOfMemory;
  }
  s->handle = (hipStream_t)new_handle_locked();
  count.live_streams++;
  *handle = s->handle;
  return hipSuccess;
}

EXPORT hipError_t hipStreamCreateWithFlags(hipStream_t *handle, unsigned int flags) {
  BEGIN(NEEDS_DEVICE);
  END(create_stream_locked(handle, flags));
}

/* Any priority is clamped to what there is, and makes no difference here. */
EXPORT hipError_t hipStreamCreateWithPriority(
    hipStream_t *handle, unsigned int flags, int priority) {
  BEGIN(NEEDS_DEVICE);
  (void)priority;
  END(create_stream_locked(handle, flags));
}

/* Does not wait: what is queued goes on, and the handle is dead at once. */
EXPORT hipError_t hipStreamDestroy(hipStream_t handle) {
  BEGIN(NEEDS_RUNTIME);
  if (handle == NULL || (uintptr_t)handle == HANDLE_STREAM_LEGACY
      || (uintptr_t)handle == HANDLE_STREAM_PER_THREAD) {
    END(hipErrorInvalidHandle);
  }
  stream *s = find_stream_locked(handle);
  if (s == NULL) {
    END(hipErrorContextIsDestroyed);
  }
  hipError_t code = devices[s->device].lost;
  s->destroyed = true;
  count.live_streams--;
  pthread_cond_broadcast(&fake_changed);
  END(code);
}

EXPORT hipError_t hipStreamSynchronize(hipStream_t handle) {
  BEGIN(NEEDS_RUNTIME);
  stream *s = find_stream_locked(handle);
  if (s == NULL) {
    END(hipErrorContextIsDestroyed);
  }
  uint64_t number = last_number;
  while (s->is_default && others_have_up_to_locked(s, number)) {
    wait_change_locked();
  }
  END(wait_stream_locked(s, number));
}

EXPORT hipError_t hipStreamQuery(hipStream_t handle) {
  BEGIN(NEEDS_RUNTIME);
  const stream *s = find_stream_locked(handle);
  if (s == NULL) {
    END(hipErrorContextIsDestroyed);
  }
  if (devices[s->device].lost != hipSuccess) {
    END(devices[s->device].lost);
  }
  bool busy = s->head != NULL || (s->is_default && others_have_up_to_locked(s, last_number));
  END(busy ? hipErrorNotReady : hipSuccess);
}

EXPORT hipError_t hipLaunchHostFunc(hipStream_t handle, hipHostFn_t function, void *argument) {
  BEGIN(NEEDS_RUNTIME);
  if (function == NULL) {
    END(hipErrorInvalidValue);
  }
  stream *s = find_stream_locked(handle);
  if (s == NULL) {
    END(hipErrorContextIsDestroyed);
  }
  if (devices[s->device].lost != hipSuccess) {
    END(devices[s->device].lost);
  }
  enqueue_locked(s, (operation){
      .kind = OPERATION_HOST_FUNCTION, .function = function, .argument = argument});
  END(hipSuccess);
}

/* Events. */

/* clr looks up an event at destruction only, and follows it anywhere else. */
static event *find_event_locked(hipEvent_t handle) {
  for (event *e = events; e != NULL; e = e->next) {
    if (e->handle == handle) {
      return e;
    }
  }
  if (handle != NULL) {
    violation_locked("event %p does not exist, or no more", (void *)handle);
  }
  return NULL;
}

EXPORT hipError_t hipEventCreateWithFlags(hipEvent_t *handle, unsigned int flags) {
  BEGIN(NEEDS_DEVICE);
  const unsigned fences = FLAG_EVENT_DISABLE_SYSTEM_FENCE | FLAG_EVENT_RELEASE_TO_DEVICE
      | FLAG_EVENT_RELEASE_TO_SYSTEM;
  const unsigned known = fences | FLAG_EVENT_BLOCKING_SYNC | FLAG_EVENT_DISABLE_TIMING
      | FLAG_EVENT_INTERPROCESS;
  const unsigned fence = flags & fences;
  if (handle == NULL || (flags & ~known) != 0 || (fence & (fence - 1)) != 0
      || ((flags & FLAG_EVENT_INTERPROCESS) != 0 && (flags & FLAG_EVENT_DISABLE_TIMING) == 0)) {
    END(hipErrorInvalidValue);
  }
  event *e = calloc(1, sizeof *e);
  if (e == NULL) {
    END(hipErrorOutOfMemory);
  }
  e->handle = (hipEvent_t)new_handle_locked();
  e->flags = flags;
  e->device = current_device;
  e->next = events;
  events = e;
  count.live_events++;
  *handle = e->handle;
  END(hipSuccess);
}

EXPORT hipError_t hipEventDestroy(hipEvent_t handle) {
  BEGIN(NEEDS_RUNTIME);
  event *e = find_event_locked(handle);
  if (e == NULL) {
    END(handle == NULL ? hipErrorInvalidHandle : hipErrorContextIsDestroyed);
  }
  event **link = &events;
  while (*link != e) {
    link = &(*link)->next;
  }
  *link = e->next;
  drop_record_locked(e->latest);
  free(e);
  count.live_events--;
  END(hipSuccess);
}

EXPORT hipError_t hipEventRecord(hipEvent_t handle, hipStream_t stream_handle) {
  BEGIN(NEEDS_RUNTIME);
  event *e = find_event_locked(handle);
  if (e == NULL) {
    END(hipErrorInvalidHandle);
  }
  stream *s = find_stream_locked(stream_handle);
  if (s == NULL) {
    END(hipErrorContextIsDestroyed);
  }
  if (s->device != e->device) {
    END(hipErrorInvalidHandle);
  }
  if (devices[s->device].lost != hipSuccess) {
    END(devices[s->device].lost);
  }
  event_record *record = calloc(1, sizeof *record);
  if (record == NULL) {
    END(hipErrorOutOfMemory);
  }
  record->references = 2;
  drop_record_locked(e->latest);
  e->latest = record;
  enqueue_locked(s, (operation){.kind = OPERATION_RECORD, .record = record});
  END(hipSuccess);
}

/* Waits for the latest record at this moment; an event never recorded is done. */
EXPORT hipError_t hipEventSynchronize(hipEvent_t handle) {
  BEGIN(NEEDS_RUNTIME);
  const event *e = find_event_locked(handle);
  if (e == NULL) {
    END(hipErrorInvalidHandle);
  }
  int ordinal = e->device;
  event_record *record = e->latest;
  if (record != NULL) {
    record->references++;
    while (!record->done) {
      wait_change_locked();
    }
    hipError_t code = record->code;
    drop_record_locked(record);
    if (code != hipSuccess) {
      END(code);
    }
  }
  END(devices[ordinal].lost);
}

EXPORT hipError_t hipEventQuery(hipEvent_t handle) {
  BEGIN(NEEDS_RUNTIME);
  const event *e = find_event_locked(handle);
  if (e == NULL) {
    END(hipErrorInvalidHandle);
  }
  if (devices[e->device].lost != hipSuccess) {
    END(devices[e->device].lost);
  }
  END(e->latest == NULL || e->latest->done ? hipSuccess : hipErrorNotReady);
}

EXPORT hipError_t hipEventElapsedTime(float *milliseconds, hipEvent_t start, hipEvent_t stop) {
  BEGIN(NEEDS_RUNTIME);
  if (milliseconds == NULL) {
    END(hipErrorInvalidValue);
  }
  const event *from = find_event_locked(start);
  const event *to = find_event_locked(stop);
  if (from == NULL || to == NULL || from->device != to->device || from->latest == NULL
      || to->latest == NULL || ((from->flags | to->flags) & FLAG_EVENT_DISABLE_TIMING) != 0) {
    END(hipErrorInvalidHandle);
  }
  if (devices[from->device].lost != hipSuccess) {
    END(devices[from->device].lost);
  }
  if (!from->latest->done || !to->latest->done) {
    END(hipErrorNotReady);
  }
  *milliseconds = (float)((double)(to->latest->ns - from->latest->ns) / 1e6);
  END(hipSuccess);
}

EXPORT hipError_t hipStreamWaitEvent(
    hipStream_t stream_handle, hipEvent_t handle, unsigned int flags) {
  BEGIN(NEEDS_RUNTIME);
  if (flags != 0) {
    END(hipErrorInvalidValue);
  }
  const event *e = find_event_locked(handle);
  stream *s = e == NULL ? NULL : find_stream_locked(stream_handle);
  if (s == NULL) {
    END(hipErrorInvalidHandle);
  }
  if (devices[s->device].lost != hipSuccess) {
    END(devices[s->device].lost);
  }
  if (e->latest != NULL) {
    e->latest->references++;
    enqueue_locked(s, (operation){.kind = OPERATION_WAIT, .record = e->latest});
  }
  END(hipSuccess);
}

/* Copies. */

static int direction_of(const allocation *dst, const allocation *src) {
  if (is_device_memory(dst)) {
    return is_device_memory(src) ? hipMemcpyDeviceToDevice : hipMemcpyHostToDevice;
  }
  return is_device_memory(src) ? hipMemcpyDeviceToHost : hipMemcpyHostToHost;
}

static bool is_kind_locked(int kind) {
  return (kind >= hipMemcpyHostToHost && kind <= hipMemcpyDefault)
      || (kind == KIND_DEVICE_TO_DEVICE_NO_CU && config.version >= 60100000);
}

/*
 * Finds one end of a copy. Memory that no one knows is pageable memory of the host, unless it is
 * address space of this fake.
 */
static hipError_t find_end_locked(
    const void *address, size_t size, allocation **memory, char **bytes) {
  size_t offset;
  *memory = find_locked(address, &offset);
  if (*memory != NULL) {
    *bytes = (*memory)->bytes + offset;
    return size <= (*memory)->size - offset ? hipSuccess : hipErrorInvalidValue;
  }
  if (is_dead_locked(address)) {
    violation_locked("%p is used, which was freed or is behind an allocation", address);
    return hipErrorInvalidValue;
  }
  *bytes = (char *)(uintptr_t)address;
  return hipSuccess;
}

static hipError_t copy_locked(void *dst, size_t dpitch, const void *src, size_t spitch,
    size_t width, size_t height, hipMemcpyKind kind, hipStream_t handle, bool synchronous) {
  stream *s = find_stream_locked(handle);
  if (s == NULL) {
    return hipErrorContextIsDestroyed;
  }
  if (devices[s->device].lost != hipSuccess) {
    return devices[s->device].lost;
  }
  if (width == 0 || height == 0) {
    return hipSuccess;
  }
  if (width > dpitch || width > spitch) {
    return hipErrorInvalidPitchValue;
  }
  if (dst == NULL || src == NULL) {
    return hipErrorInvalidValue;
  }
  if (!is_kind_locked((int)kind)) {
    return hipErrorInvalidMemcpyDirection;
  }
  copy c = {.dpitch = dpitch, .spitch = spitch, .width = width, .height = height,
      .dst_address = (uintptr_t)dst, .src_address = (uintptr_t)src, .queued = now_ns()};
  char *source;
  if (height > 1 && (dpitch > SIZE_MAX / height || spitch > SIZE_MAX / height)) {
    return hipErrorInvalidValue;
  }
  if (find_end_locked(dst, extent(dpitch, width, height), &c.dst_memory, &c.dst) != hipSuccess
      || find_end_locked(src, extent(spitch, width, height), &c.src_memory, &source)
          != hipSuccess) {
    return hipErrorInvalidValue;
  }
  c.src = source;
  bool unknown = c.dst_memory == NULL && c.src_memory == NULL;
  if (unknown && kind != hipMemcpyHostToHost && kind != hipMemcpyDefault) {
    return hipErrorInvalidValue;
  }
  c.direction = direction_of(c.dst_memory, c.src_memory);
  int meant = (int)kind == KIND_DEVICE_TO_DEVICE_NO_CU ? (int)hipMemcpyDeviceToDevice : (int)kind;
  if (meant != hipMemcpyDefault && meant != c.direction) {
    violation_locked("a copy of direction %d was called one of kind %d", c.direction, (int)kind);
    return hipErrorInvalidMemcpyDirection;
  }
  c.pageable = c.dst_memory == NULL || c.src_memory == NULL;
  bool wait = synchronous || c.pageable || c.direction == hipMemcpyHostToHost;
  if (c.pageable) {
    count.pageable++;
  }
  if (!synchronous && c.src_memory == NULL && c.direction == hipMemcpyHostToDevice && height == 1
      && width <= STAGING_BYTES && config.version >= 60400000) {
    c.staging = malloc(width);
    if (c.staging == NULL) {
      return hipErrorOutOfMemory;
    }
    memcpy(c.staging, c.src, width);
    c.src = c.staging;
    wait = false;
  }
  if (c.dst_memory != NULL) {
    c.dst_memory->uses++;
  }
  if (c.src_memory != NULL) {
    c.src_memory->uses++;
  }
  uint64_t number = enqueue_locked(s, (operation){.kind = OPERATION_COPY, .copy = c})->number;
  return wait ? wait_stream_locked(s, number) : hipSuccess;
}

EXPORT hipError_t hipMemcpy(void *dst, const void *src, size_t size, hipMemcpyKind kind) {
  BEGIN(NEEDS_RUNTIME);
  END(copy_locked(dst, size, src, size, size, 1, kind, NULL, true));
}

EXPORT hipError_t hipMemcpyAsync(
    void *dst, const void *src, size_t size, hipMemcpyKind kind, hipStream_t stream_handle) {
  BEGIN(NEEDS_RUNTIME);
  END(copy_locked(dst, size, src, size, size, 1, kind, stream_handle, false));
}

EXPORT hipError_t hipMemcpy2DAsync(void *dst, size_t dpitch, const void *src, size_t spitch,
    size_t width, size_t height, hipMemcpyKind kind, hipStream_t stream_handle) {
  BEGIN(NEEDS_RUNTIME);
  END(copy_locked(dst, dpitch, src, spitch, width, height, kind, stream_handle, false));
}

EXPORT hipError_t hipMemsetAsync(void *dst, int value, size_t size, hipStream_t stream_handle) {
  BEGIN(NEEDS_RUNTIME);
  stream *s = find_stream_locked(stream_handle);
  if (s == NULL) {
    END(hipErrorContextIsDestroyed);
  }
  if (devices[s->device].lost != hipSuccess) {
    END(devices[s->device].lost);
  }
  if (size == 0) {
    END(hipSuccess);
  }
  copy c = {.dpitch = size, .spitch = size, .width = size, .height = 1, .direction = FILL,
      .fill_byte = value, .dst_address = (uintptr_t)dst, .queued = now_ns()};
  if (dst == NULL || find_end_locked(dst, size, &c.dst_memory, &c.dst) != hipSuccess
      || c.dst_memory == NULL) {
    END(hipErrorInvalidValue);
  }
  c.dst_memory->uses++;
  enqueue_locked(s, (operation){.kind = OPERATION_COPY, .copy = c});
  END(hipSuccess);
}

/* The log. */

EXPORT int fakehip_log(int64_t index, fakehip_copy *out) {
  pthread_mutex_lock(&fake_lock);
  bool known = index >= 0 && (size_t)index < log_size;
  if (known) {
    *out = copy_log[index];
  }
  pthread_mutex_unlock(&fake_lock);
  return known ? 0 : -1;
}

EXPORT void fakehip_log_clear(void) {
  pthread_mutex_lock(&fake_lock);
  log_size = 0;
  pthread_mutex_unlock(&fake_lock);
}
