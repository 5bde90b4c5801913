/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A fake of libamdhip64 for tests on machines without a GPU: settings, errors, devices, counters
 * and injected faults. fakehip_memory.c has the memory, fakehip_stream.c streams, events, copies.
 *
 * It does what the hardware and AMD's clr do, with the codes of clr 6.4, and is stricter where they
 * leave misuse unnoticed:
 *
 *   - a range registered twice is refused with 712, as CUDA does; clr accepts it
 *   - a copy whose kind contradicts its pointers is refused with 21; the runtimes say "undefined"
 *   - an address is given back only as what it was taken as; clr's free functions do not look
 *   - HIP calls from a host function are refused with 401; the real ones may deadlock
 *   - a stream that is destroyed goes on with what is queued; the header allows both
 *
 * hipDeviceReset is absent because a library must not call it, and IPC events because those of
 * ROCm up to 7.2 cannot be used.
 */
#define _GNU_SOURCE
#include "fakehip_internal.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#if FAKEHIP_MAJOR == 5
#define VERSION_OF_SONAME 50221153
#elif FAKEHIP_MAJOR == 6
#define VERSION_OF_SONAME 60443484
#else
#define VERSION_OF_SONAME 70051831
#endif

#define MAX_FAULTS 64
#define MAX_VIOLATIONS 256
#define EVERY_CALL 0

pthread_mutex_t fake_lock = PTHREAD_MUTEX_INITIALIZER;
pthread_cond_t fake_changed = PTHREAD_COND_INITIALIZER;
settings config;
device devices[MAX_DEVICES];
counters count;
bool copies_held;
int64_t copies_let;
_Thread_local int current_device;
_Thread_local bool in_host_function;
static _Thread_local hipError_t last_error;

typedef struct fault {
  char call[64];
  int64_t left; /* calls until it strikes, or EVERY_CALL */
  hipError_t code;
} fault;

static call_site *sites;
static fault faults[MAX_FAULTS];
static int fault_count;
static char *violations[MAX_VIOLATIONS];
static int violation_count;

/* Settings. */

static int64_t from_environment(const char *name, int64_t otherwise) {
  const char *text = getenv(name);
  return text != NULL && *text != '\0' ? strtoll(text, NULL, 0) : otherwise;
}

static void add_fault_locked(const char *call, int64_t nth, int code) {
  if (fault_count == MAX_FAULTS || strlen(call) >= sizeof faults[0].call) {
    violation_locked("fault of %s was not injected: too many, or too long a name", call);
    return;
  }
  fault *added = &faults[fault_count++];
  strcpy(added->call, call);
  added->left = nth;
  added->code = (hipError_t)code;
}

static void read_faults_locked(void) {
  const char *text = getenv("FAKEHIP_INJECT");
  char call[64];
  long long nth;
  int code;
  int length;
  while (text != NULL && sscanf(text, "%63[^:;]:%lld:%d%n", call, &nth, &code, &length) == 3) {
    add_fault_locked(call, nth, code);
    text += length;
    text += *text == ';';
  }
}

static void read_environment(void) {
  config.devices = (int)from_environment("FAKEHIP_DEVICES", 1);
  config.version = (int)from_environment("FAKEHIP_VERSION", VERSION_OF_SONAME);
  config.device_bytes = (uint64_t)from_environment("FAKEHIP_DEVICE_BYTES", INT64_C(8) << 30);
  config.host_bytes = (uint64_t)from_environment("FAKEHIP_HOST_BYTES", 0);
  config.delay_us = from_environment("FAKEHIP_DELAY_US", 100);
  config.bandwidth = (uint64_t)from_environment("FAKEHIP_BANDWIDTH", 0);
  config.init_error = (int)from_environment("FAKEHIP_INIT_ERROR", 0);
  if (config.devices < 0 || config.devices > MAX_DEVICES) {
    config.devices = MAX_DEVICES;
  }
  read_faults_locked();
}

static void lock(void) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, read_environment);
  pthread_mutex_lock(&fake_lock);
}

static void unlock(void) { pthread_mutex_unlock(&fake_lock); }

EXPORT int fakehip_set(const char *setting, int64_t value) {
  lock();
  bool known = value >= 0;
  if (strcmp(setting, "devices") == 0 && value <= MAX_DEVICES) {
    config.devices = known ? (int)value : config.devices;
  } else if (strcmp(setting, "version") == 0) {
    config.version = known ? (int)value : config.version;
  } else if (strcmp(setting, "device_bytes") == 0) {
    config.device_bytes = known ? (uint64_t)value : config.device_bytes;
  } else if (strcmp(setting, "host_bytes") == 0) {
    config.host_bytes = known ? (uint64_t)value : config.host_bytes;
  } else if (strcmp(setting, "delay_us") == 0) {
    config.delay_us = known ? value : config.delay_us;
  } else if (strcmp(setting, "bandwidth") == 0) {
    config.bandwidth = known ? (uint64_t)value : config.bandwidth;
  } else if (strcmp(setting, "init_error") == 0) {
    config.init_error = known ? (int)value : config.init_error;
  } else {
    known = false;
  }
  unlock();
  return known ? 0 : -1;
}

int major_version(void) { return config.version / 10000000; }

int minor_version(void) { return config.version / 100000 % 100; }

/* 5.2.3 answers "invalid device" without a GPU; from 5.7 on it is "no device". */
static hipError_t no_device_code(void) {
  return major_version() < 5 || (major_version() == 5 && minor_version() < 7)
      ? hipErrorInvalidDevice
      : hipErrorNoDevice;
}

/* Calls, faults and counters. */

int64_t now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

hipError_t fault_locked(const char *call) {
  for (int i = 0; i < fault_count; i++) {
    fault *candidate = &faults[i];
    if (strcmp(candidate->call, call) != 0) {
      continue;
    }
    if (candidate->left == EVERY_CALL) {
      return candidate->code;
    }
    if (--candidate->left == 0) {
      hipError_t code = candidate->code;
      *candidate = faults[--fault_count];
      return code;
    }
  }
  return hipSuccess;
}

void violation_locked(const char *format, ...) {
  char *text = NULL;
  va_list arguments;
  va_start(arguments, format);
  if (vasprintf(&text, format, arguments) < 0) {
    abort();
  }
  va_end(arguments);
  fprintf(stderr, "fakehip: %s\n", text);
  if (violation_count == MAX_VIOLATIONS) {
    free(text);
  } else {
    violations[violation_count++] = text;
  }
}

hipError_t begin_call(call_site *site, enum needs needs) {
  lock();
  if (!site->listed) {
    site->listed = true;
    site->next = sites;
    sites = site;
  }
  site->calls++;
  if (in_host_function) {
    violation_locked("%s was called from a host function", site->name);
    return hipErrorIllegalState;
  }
  if (needs != NEEDS_NOTHING && config.init_error != 0) {
    return (hipError_t)config.init_error;
  }
  if (needs != NEEDS_NOTHING && config.devices == 0) {
    return no_device_code();
  }
  hipError_t code = fault_locked(site->name);
  if (code == hipSuccess && needs == NEEDS_DEVICE) {
    code = devices[current_device].lost;
  }
  return code;
}

/*
 * Up to 6.x the last error is the code of the previous call, success included; from 7.0 on it is
 * the last that was an error.
 */
hipError_t end_call(hipError_t code) {
  if (major_version() < 7 || (code != hipSuccess && code != hipErrorNotReady)) {
    last_error = code;
  }
  unlock();
  return code;
}

EXPORT void fakehip_inject(const char *call, int64_t nth, int code) {
  lock();
  add_fault_locked(call, nth, code);
  unlock();
}

EXPORT void fakehip_heal(void) {
  lock();
  fault_count = 0;
  for (int i = 0; i < MAX_DEVICES; i++) {
    devices[i].lost = hipSuccess;
  }
  unlock();
}

EXPORT void fakehip_hold(void) {
  lock();
  copies_held = true;
  copies_let = 0;
  unlock();
}

EXPORT void fakehip_let(int64_t copies) {
  lock();
  copies_let += copies;
  pthread_cond_broadcast(&fake_changed);
  unlock();
}

EXPORT void fakehip_release(void) {
  lock();
  copies_held = false;
  pthread_cond_broadcast(&fake_changed);
  unlock();
}

EXPORT int64_t fakehip_calls(const char *function) {
  lock();
  int64_t calls = 0;
  for (const call_site *site = sites; site != NULL; site = site->next) {
    if (strcmp(site->name, function) == 0) {
      calls += site->calls;
    }
  }
  unlock();
  return calls;
}

EXPORT int64_t fakehip_count(const char *counter) {
  lock();
  uint64_t device_bytes = 0;
  for (int i = 0; i < MAX_DEVICES; i++) {
    device_bytes += devices[i].used_bytes;
  }
  const struct {
    const char *name;
    int64_t value;
  } all[] = {
    {"live_host", count.live_host},
    {"live_registered", count.live_registered},
    {"live_device", count.live_device},
    {"live_ipc", count.live_ipc},
    {"live_streams", count.live_streams},
    {"live_events", count.live_events},
    {"host_bytes", count.host_bytes},
    {"peak_host_bytes", count.peak_host_bytes},
    {"device_bytes", (int64_t)device_bytes},
    {"copies", count.copies},
    {"bytes", count.bytes},
    {"pending", count.pending},
    {"pageable", count.pageable},
    {"violations", violation_count},
  };
  int64_t value = -1;
  for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
    if (strcmp(all[i].name, counter) == 0) {
      value = all[i].value;
    }
  }
  unlock();
  return value;
}

EXPORT const char *fakehip_violation(int64_t index) {
  lock();
  const char *text = index >= 0 && index < violation_count ? violations[index] : NULL;
  unlock();
  return text;
}

/* Versions and errors. */

EXPORT hipError_t hipInit(unsigned int flags) {
  BEGIN(NEEDS_RUNTIME);
  END(flags == 0 ? hipSuccess : hipErrorInvalidValue);
}

EXPORT hipError_t hipRuntimeGetVersion(int *version) {
  BEGIN(NEEDS_NOTHING);
  if (version == NULL) {
    END(hipErrorInvalidValue);
  }
  *version = config.version;
  END(hipSuccess);
}

EXPORT hipError_t hipDriverGetVersion(int *version) {
  BEGIN(NEEDS_NOTHING);
  if (version == NULL) {
    END(hipErrorInvalidValue);
  }
  *version = config.version;
  END(hipSuccess);
}

EXPORT const char *hipGetErrorName(hipError_t code) {
  switch (code) {
#define X(name, value, sentence) \
  case name: \
    return #name;
    HIP_ERRORS(X)
#undef X
  }
  return "hipErrorUnknown";
}

/* A name in 5.2, a sentence later. */
EXPORT const char *hipGetErrorString(hipError_t code) {
  lock();
  bool name_only = no_device_code() == hipErrorInvalidDevice;
  unlock();
  if (name_only) {
    return hipGetErrorName(code);
  }
  switch (code) {
#define X(name, value, sentence) \
  case name: \
    return sentence;
    HIP_ERRORS(X)
#undef X
  }
  return "unknown error";
}

/* What the last error functions answer: the state, or why the runtime has none. */
static hipError_t take_last_error(call_site *site, bool keep) {
  hipError_t kept = last_error;
  hipError_t refused = begin_call(site, NEEDS_RUNTIME);
  if (refused != hipSuccess) {
    return end_call(refused);
  }
  last_error = keep ? kept : hipSuccess;
  unlock();
  return kept;
}

EXPORT hipError_t hipGetLastError(void) {
  static call_site site = {.name = __func__};
  return take_last_error(&site, false);
}

EXPORT hipError_t hipPeekAtLastError(void) {
  static call_site site = {.name = __func__};
  return take_last_error(&site, true);
}

#if FAKEHIP_MAJOR >= 6
EXPORT hipError_t hipExtGetLastError(void);

EXPORT hipError_t hipExtGetLastError(void) {
  static call_site site = {.name = __func__};
  return take_last_error(&site, false);
}
#endif

/* Devices. */

static bool is_device(int ordinal) { return ordinal >= 0 && ordinal < config.devices; }

/* Three and four buses apart, as the sockets of such machines have them; device 0 is on bus 3. */
static int bus_of(int ordinal) { return 0x03 + ordinal * 0x20; }

static int name_of(char *name, size_t size, int ordinal) {
  return snprintf(name, size, "Fake Instinct %d", ordinal);
}

EXPORT hipError_t hipGetDeviceCount(int *number) {
  BEGIN(NEEDS_NOTHING);
  if (config.init_error != 0) {
    END((hipError_t)config.init_error);
  }
  if (number == NULL) {
    END(hipErrorInvalidValue);
  }
  *number = config.devices;
  END(config.devices == 0 ? hipErrorNoDevice : hipSuccess);
}

EXPORT hipError_t hipSetDevice(int ordinal) {
  BEGIN(NEEDS_RUNTIME);
  if (!is_device(ordinal)) {
    END(hipErrorInvalidDevice);
  }
  current_device = ordinal;
  END(hipSuccess);
}

EXPORT hipError_t hipGetDevice(int *ordinal) {
  BEGIN(NEEDS_RUNTIME);
  if (ordinal == NULL) {
    END(hipErrorInvalidValue);
  }
  *ordinal = current_device;
  END(hipSuccess);
}

EXPORT hipError_t hipDeviceGetName(char *name, int len, hipDevice_t ordinal) {
  BEGIN(NEEDS_RUNTIME);
  if (!is_device(ordinal)) {
    END(hipErrorInvalidDevice);
  }
  if (name == NULL || len <= 0) {
    END(hipErrorInvalidValue);
  }
  name_of(name, (size_t)len, ordinal);
  END(hipSuccess);
}

/* A buffer that is too short is filled as far as it goes, and the call still fails. */
EXPORT hipError_t hipDeviceGetPCIBusId(char *bus_id, int len, int ordinal) {
  BEGIN(NEEDS_RUNTIME);
  if (!is_device(ordinal)) {
    END(hipErrorInvalidDevice);
  }
  if (bus_id == NULL || len <= 0) {
    END(hipErrorInvalidValue);
  }
  snprintf(bus_id, (size_t)len, "0000:%02x:00.0", (unsigned)bus_of(ordinal) & 0xffu);
  END(len <= 12 ? hipErrorInvalidValue : hipSuccess);
}

EXPORT hipError_t hipDeviceGetAttribute(int *value, hipDeviceAttribute_t attribute, int ordinal) {
  BEGIN(NEEDS_RUNTIME);
  if (value == NULL) {
    END(hipErrorInvalidValue);
  }
  if (!is_device(ordinal)) {
    END(hipErrorInvalidDevice);
  }
  switch (attribute) {
    case hipDeviceAttributeAsyncEngineCount:
      *value = 2;
      break;
    case hipDeviceAttributeMultiprocessorCount:
      *value = 304;
      break;
    case hipDeviceAttributePciBusId:
      *value = bus_of(ordinal);
      break;
    case hipDeviceAttributeCanMapHostMemory:
    case hipDeviceAttributeUnifiedAddressing:
      *value = 1;
      break;
    case hipDeviceAttributeHostRegisterSupported:
      if (no_device_code() == hipErrorInvalidDevice) { /* 5.2 */
        END(hipErrorInvalidValue);
      }
      *value = 1;
      break;
    case hipDeviceAttributeCanUseHostPointerForRegisteredMem:
    case hipDeviceAttributeIntegrated:
    case hipDeviceAttributeManagedMemory:
    case hipDeviceAttributePageableMemoryAccess:
    case hipDeviceAttributePciDeviceId:
    case hipDeviceAttributePciDomainID:
    case hipDeviceAttributeIsLargeBar:
      *value = 0;
      break;
    default:
      END(hipErrorInvalidValue);
  }
  END(hipSuccess);
}

EXPORT hipError_t hipDeviceTotalMem(size_t *bytes, hipDevice_t ordinal) {
  BEGIN(NEEDS_RUNTIME);
  if (!is_device(ordinal)) {
    END(hipErrorInvalidDevice);
  }
  if (bytes == NULL) {
    END(hipErrorInvalidValue);
  }
  *bytes = config.device_bytes;
  END(hipSuccess);
}

EXPORT hipError_t hipMemGetInfo(size_t *free_bytes, size_t *total_bytes) {
  BEGIN(NEEDS_DEVICE);
  if (free_bytes == NULL || total_bytes == NULL) {
    END(hipErrorInvalidValue);
  }
  *free_bytes = config.device_bytes - devices[current_device].used_bytes;
  *total_bytes = config.device_bytes;
  END(hipSuccess);
}

EXPORT hipError_t hipDeviceSynchronize(void) {
  BEGIN(NEEDS_DEVICE);
  int ordinal = current_device;
  drain_device_locked(ordinal, last_operation_locked());
  END(devices[ordinal].lost);
}

/*
 * hipDeviceProp_t, whose layout changed with 6.0 while the old symbol kept the old one. Only the
 * fields at the known offsets are filled; whoever passes too small a struct is overrun, as in life.
 */
static void write_properties(char *out, size_t size, size_t memory_at, size_t units_at,
    size_t bus_at, size_t architecture_at, int ordinal) {
  const uint64_t memory = config.device_bytes;
  const int units = 304;
  const int bus = bus_of(ordinal);
  memset(out, 0, size);
  name_of(out, 256, ordinal);
  memcpy(out + memory_at, &memory, sizeof memory);
  memcpy(out + units_at, &units, sizeof units);
  memcpy(out + bus_at, &bus, sizeof bus);
  strcpy(out + architecture_at, "gfx942:sramecc+:xnack-");
}

EXPORT hipError_t hipGetDeviceProperties(void *properties, int ordinal);

EXPORT hipError_t hipGetDeviceProperties(void *properties, int ordinal) {
  BEGIN(NEEDS_RUNTIME);
  if (properties == NULL) {
    END(hipErrorInvalidValue);
  }
  if (!is_device(ordinal)) {
    END(hipErrorInvalidDevice);
  }
  write_properties(properties, 792, 256, 336, 368, 396, ordinal);
  END(hipSuccess);
}

#if FAKEHIP_MAJOR >= 6
EXPORT hipError_t hipGetDevicePropertiesR0600(void *properties, int ordinal);

EXPORT hipError_t hipGetDevicePropertiesR0600(void *properties, int ordinal) {
  BEGIN(NEEDS_RUNTIME);
  if (properties == NULL) {
    END(hipErrorInvalidValue);
  }
  if (!is_device(ordinal)) {
    END(hipErrorInvalidDevice);
  }
  write_properties(properties, 1472, 288, 388, 584, 1160, ordinal);
  END(hipSuccess);
}
#endif
