/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of the fake share. One lock guards all of it; one condition tells of any change. */
#ifndef FAKEHIP_INTERNAL_H
#define FAKEHIP_INTERNAL_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "fakehip_control.h"
#include "hip_abi.h"

#ifndef FAKEHIP_MAJOR
#define FAKEHIP_MAJOR 6
#endif

/* Nothing leaves the library but what says so: its names must not meet those of the process. */
#pragma GCC visibility push(hidden)

#define EXPORT __attribute__((visibility("default")))
#define MAX_DEVICES 8
#define PAGE ((size_t)4096)
/* Content of fresh memory, and of a destination while a copy is under way. */
#define POISON 0xDB
/* Content of device memory that was freed, which an importer may still look at. */
#define FREED 0xDD

/* Called with the lock held: functions whose names end in _locked, and all of "state". */

typedef struct settings {
  int devices;
  int version;
  uint64_t device_bytes;
  uint64_t host_bytes;
  int64_t delay_us;
  uint64_t bandwidth;
  int init_error;
} settings;

enum engine { ENGINE_TO_DEVICE, ENGINE_TO_HOST, ENGINE_WITHIN, ENGINES };

typedef struct device {
  hipError_t lost; /* hipSuccess while it is there */
  bool engine_busy[ENGINES];
  uint64_t used_bytes;
} device;

typedef struct counters {
  int64_t live_host, live_registered, live_device, live_ipc, live_streams, live_events;
  int64_t host_bytes, peak_host_bytes;
  int64_t copies, bytes, pending, pageable;
} counters;

extern pthread_mutex_t fake_lock;
extern pthread_cond_t fake_changed;
extern settings config;
extern device devices[MAX_DEVICES];
extern counters count;
extern bool copies_held;
extern int64_t copies_let;
extern _Thread_local int current_device;
extern _Thread_local bool in_host_function;

/* One function of the API, with what is counted of it. */
typedef struct call_site {
  const char *name;
  int64_t calls;
  bool listed;
  struct call_site *next;
} call_site;

/* Which devices must be there for a call to do anything. */
enum needs { NEEDS_NOTHING, NEEDS_RUNTIME, NEEDS_DEVICE };

/* Begins a call: takes the lock. Returns what the call must answer at once, or hipSuccess. */
hipError_t begin_call(call_site *site, enum needs needs);
/* Ends a call: lets the lock go and keeps the code for hipGetLastError. */
hipError_t end_call(hipError_t code);

/*
 * First statement of an API function, with which the lock is held. NEEDS_DEVICE also refuses a
 * current device that was lost.
 */
#define BEGIN(needs) \
  do { \
    static call_site site = {.name = __func__}; \
    hipError_t refused = begin_call(&site, (needs)); \
    if (refused != hipSuccess) { \
      return end_call(refused); \
    } \
  } while (0)
#define END(code) return end_call(code)

int major_version(void);
int minor_version(void);
/* Whether an injected fault strikes this call now; its code, or hipSuccess. */
hipError_t fault_locked(const char *call);
void violation_locked(const char *format, ...) __attribute__((format(printf, 1, 2)));
int64_t now_ns(void);

/* Memory. */

enum memory_kind { MEMORY_HOST, MEMORY_REGISTERED, MEMORY_DEVICE, MEMORY_IPC };

typedef struct allocation {
  enum memory_kind kind;
  char *address;     /* what the client holds */
  char *device_view; /* a second address of registered memory, for devices; else address */
  char *bytes;       /* where this process reaches the content */
  size_t size;
  char *reserved; /* the address space it takes, guards included; NULL for registered memory */
  size_t reserved_size;
  size_t mapped; /* size in whole pages */
  int device;
  unsigned flags;
  int fd; /* of device memory; -1 otherwise */
  int uses; /* by operations that are queued */
  bool dying;
  struct allocation *next;
} allocation;

/* The allocation that an address lies in, with the offset, or NULL. */
allocation *find_locked(const void *address, size_t *offset);
/* Whether an address lies in address space of the fake that holds no live byte. */
bool is_dead_locked(const void *address);
/* Whether every page of the range is mapped. */
bool is_mapped(const void *address, size_t size);
bool is_device_memory(const allocation *memory);

/* Streams. */

/* Number of the last operation queued anywhere. */
uint64_t last_operation_locked(void);
/* Waits until a device has completed all operations up to a number. */
void drain_device_locked(int ordinal, uint64_t number);
/* Ends the process as the driver does when a device touches memory that it must not. */
_Noreturn void gpu_fault(const void *address, const char *why);

#pragma GCC visibility pop

#endif
