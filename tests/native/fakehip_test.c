/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shows each rule of the fake. Every test runs in a process of its own, so that it may choose the
 * fake's settings, lose its device, or be killed by what it does, where that is what it expects.
 *
 *   fakehip_test [part of a test's name]
 *
 * Prints a line for each test; ends with 1 if one failed.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "fakehip_control.h"
#include "hip_abi.h"

#define MIB ((size_t)1 << 20)
#define POISON 0xDB
#define TIME_LIMIT_S 60

static void fail(const char *file, int line, const char *text, long is, long should) {
  printf("    %s:%d: %s is %ld, should be %ld\n", file, line, text, is, should);
  fflush(stdout);
  _exit(1);
}

#define EQUAL(should, expression) \
  do { \
    long is_ = (long)(expression); \
    long should_ = (long)(should); \
    if (is_ != should_) { \
      fail(__FILE__, __LINE__, #expression, is_, should_); \
    } \
  } while (0)
#define TRUE(expression) EQUAL(1, (expression) ? 1 : 0)
#define OK(call) EQUAL(hipSuccess, call)

static bool all_are(const void *memory, int byte, size_t size) {
  const unsigned char *bytes = memory;
  for (size_t i = 0; i < size; i++) {
    if (bytes[i] != (unsigned char)byte) {
      return false;
    }
  }
  return true;
}

static void *pinned(size_t size, int byte) {
  void *memory = NULL;
  OK(hipHostMalloc(&memory, size, 0));
  memset(memory, byte, size);
  return memory;
}

static void *on_device(size_t size) {
  void *memory = NULL;
  OK(hipMalloc(&memory, size));
  return memory;
}

static hipStream_t new_stream(void) {
  hipStream_t stream = NULL;
  OK(hipStreamCreateWithFlags(&stream, FLAG_STREAM_NON_BLOCKING));
  return stream;
}

static hipEvent_t new_event(unsigned flags) {
  hipEvent_t event = NULL;
  OK(hipEventCreateWithFlags(&event, flags));
  return event;
}

static bool device_is(const void *address, int byte, size_t size) {
  void *bytes = malloc(size);
  EQUAL(0, fakehip_peek(bytes, address, size));
  bool same = all_are(bytes, byte, size);
  free(bytes);
  return same;
}

static void sleep_ms(long ms) {
  struct timespec time = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
  nanosleep(&time, NULL);
}

static void in_thread(void *(*function)(void *), void *argument) {
  pthread_t thread;
  EQUAL(0, pthread_create(&thread, NULL, function, argument));
  EQUAL(0, pthread_join(thread, NULL));
}

static void no_leaks(void) {
  EQUAL(0, fakehip_count("live_host"));
  EQUAL(0, fakehip_count("live_registered"));
  EQUAL(0, fakehip_count("live_device"));
  EQUAL(0, fakehip_count("live_ipc"));
  EQUAL(0, fakehip_count("live_streams"));
  EQUAL(0, fakehip_count("live_events"));
  EQUAL(0, fakehip_count("host_bytes"));
  EQUAL(0, fakehip_count("device_bytes"));
  EQUAL(0, fakehip_count("pending"));
  EQUAL(0, fakehip_count("violations"));
}

/* A machine without a device. */

static void check_without_device(int code) {
  int number = -7;
  void *memory = (void *)0xdead;
  hipStream_t stream = (hipStream_t)0xdead;
  hipEvent_t event = (hipEvent_t)0xdead;
  size_t size = 7;
  EQUAL(hipErrorNoDevice, hipGetDeviceCount(&number));
  EQUAL(0, number);
  number = -7;
  EQUAL(code, hipInit(0));
  EQUAL(code, hipSetDevice(0));
  EQUAL(code, hipGetDevice(&number));
  EQUAL(code, hipHostMalloc(&memory, 4096, 0));
  EQUAL(code, hipMalloc(&memory, 4096));
  EQUAL(code, hipMemcpy(&number, &size, 4, hipMemcpyDefault));
  EQUAL(code, hipMemcpyAsync(&number, &size, 4, hipMemcpyDefault, NULL));
  EQUAL(code, hipStreamCreateWithFlags(&stream, 0));
  EQUAL(code, hipEventCreateWithFlags(&event, 0));
  EQUAL(code, hipIpcOpenMemHandle(&memory, (hipIpcMemHandle_t){{0}}, 1));
  EQUAL(code, hipHostFree(NULL));
  EQUAL(code, hipFree(NULL));
  EQUAL(code, hipDeviceSynchronize());
  EQUAL(code, hipMemGetInfo(&size, &size));
  EQUAL(code, hipGetLastError());
  EQUAL(-7, number);
  EQUAL(7, size);
  EQUAL(0xdead, memory);
  EQUAL(0xdead, stream);
  EQUAL(0xdead, event);
  OK(hipRuntimeGetVersion(&number));
  OK(hipDriverGetVersion(&number));
  EQUAL(0, strcmp("hipErrorNoDevice", hipGetErrorName(hipErrorNoDevice)));
}

static void without_a_device_calls_answer_100_and_leave_their_results_alone(void) {
  setenv("FAKEHIP_DEVICES", "0", 1);
  check_without_device(hipErrorNoDevice);
}

static void without_a_device_version_5_2_answers_101(void) {
  setenv("FAKEHIP_DEVICES", "0", 1);
  setenv("FAKEHIP_VERSION", "50221153", 1);
  check_without_device(hipErrorInvalidDevice);
}

static void a_runtime_that_does_not_start_answers_its_code_and_no_count(void) {
  int number = -7;
  setenv("FAKEHIP_INIT_ERROR", "35", 1);
  EQUAL(hipErrorInsufficientDriver, hipGetDeviceCount(&number));
  EQUAL(-7, number);
  EQUAL(hipErrorInsufficientDriver, hipInit(0));
  OK(hipRuntimeGetVersion(&number));
}

/* Versions, names and the last error. */

static void the_version_is_that_of_the_environment(void) {
  int version = 0;
  setenv("FAKEHIP_VERSION", "70051831", 1);
  OK(hipRuntimeGetVersion(&version));
  EQUAL(70051831, version);
  EQUAL(hipErrorInvalidValue, hipRuntimeGetVersion(NULL));
}

static void unknown_codes_have_the_name_unknown(void) {
  EQUAL(0, strcmp("hipErrorHostMemoryAlreadyRegistered", hipGetErrorName((hipError_t)712)));
  EQUAL(0, strcmp("hipErrorUnknown", hipGetErrorName((hipError_t)31337)));
  EQUAL(0, strcmp("no ROCm-capable device is detected", hipGetErrorString(hipErrorNoDevice)));
  fakehip_set("version", 50221153);
  EQUAL(0, strcmp("hipErrorNoDevice", hipGetErrorString(hipErrorNoDevice)));
}

static void up_to_version_6_the_last_error_is_that_of_the_previous_call(void) {
  int device;
  EQUAL(hipErrorInvalidDevice, hipSetDevice(9));
  EQUAL(hipErrorInvalidDevice, hipPeekAtLastError());
  EQUAL(hipErrorInvalidDevice, hipGetLastError());
  EQUAL(hipErrorInvalidDevice, hipSetDevice(9));
  OK(hipGetDevice(&device));
  OK(hipGetLastError());
}

static void from_version_7_the_last_error_is_the_last_that_was_one(void) {
  int device;
  setenv("FAKEHIP_VERSION", "70051831", 1);
  EQUAL(hipErrorInvalidDevice, hipSetDevice(9));
  OK(hipGetDevice(&device));
  EQUAL(hipErrorInvalidDevice, hipPeekAtLastError());
  EQUAL(hipErrorInvalidDevice, hipGetLastError());
  OK(hipGetLastError());
}

static void each_soname_has_the_symbols_of_its_version(void) {
  Dl_info linked;
  char path[4096];
  TRUE(dladdr((void *)hipInit, &linked) != 0);
  size_t stem = strlen(linked.dli_fname) - 1; /* without the version at the end */
  for (int i = 0; i < 3; i++) {
    snprintf(path, sizeof path, "%.*s%d", (int)stem, linked.dli_fname, 5 + i);
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    TRUE(library != NULL);
    EQUAL(i > 0, dlsym(library, "hipGetDevicePropertiesR0600") != NULL);
    EQUAL(i > 0, dlsym(library, "hipExtGetLastError") != NULL);
    int version = 0;
    hipError_t (*get)(int *) = NULL;
    *(void **)&get = dlsym(library, "hipRuntimeGetVersion");
    OK(get(&version));
    EQUAL(5 + i, version / 10000000);
  }
}

static void properties_of_the_plain_name_have_the_old_layout(void) {
  hipError_t (*plain)(void *, int) = NULL;
  hipError_t (*later)(void *, int) = NULL;
  *(void **)&plain = dlsym(RTLD_DEFAULT, "hipGetDeviceProperties");
  *(void **)&later = dlsym(RTLD_DEFAULT, "hipGetDevicePropertiesR0600");
  char properties[4096];
  memset(properties, 0x55, sizeof properties);
  OK(plain(properties, 0));
  EQUAL(0, strncmp("gfx942", properties + 396, 6));
  EQUAL(0x55, properties[792]);
  OK(later(properties, 0));
  EQUAL(0, strncmp("gfx942", properties + 1160, 6));
  EQUAL(0x55, properties[1472]);
}

/* Devices. */

static void *check_fresh_thread(void *unused) {
  int device = -1;
  (void)unused;
  OK(hipGetDevice(&device));
  EQUAL(0, device);
  return NULL;
}

static void the_current_device_is_that_of_the_thread(void) {
  int device = -1;
  setenv("FAKEHIP_DEVICES", "2", 1);
  OK(hipSetDevice(1));
  in_thread(check_fresh_thread, NULL);
  OK(hipGetDevice(&device));
  EQUAL(1, device);
  EQUAL(hipErrorInvalidDevice, hipSetDevice(2));
  EQUAL(hipErrorInvalidDevice, hipSetDevice(-1));
}

static void devices_have_names_buses_and_memory(void) {
  char text[64] = "";
  size_t size = 0;
  size_t total = 0;
  int value = -1;
  setenv("FAKEHIP_DEVICES", "2", 1);
  setenv("FAKEHIP_DEVICE_BYTES", "16777216", 1);
  OK(hipDeviceGetName(text, sizeof text, 1));
  EQUAL(0, strcmp("Fake Instinct 1", text));
  OK(hipDeviceGetPCIBusId(text, 13, 1));
  EQUAL(0, strcmp("0000:23:00.0", text));
  EQUAL(hipErrorInvalidValue, hipDeviceGetPCIBusId(text, 12, 1));
  EQUAL(0, strcmp("0000:23:00.", text));
  EQUAL(hipErrorInvalidDevice, hipDeviceGetName(text, sizeof text, 2));
  OK(hipDeviceTotalMem(&size, 1));
  EQUAL(16 * MIB, size);
  on_device(MIB);
  OK(hipMemGetInfo(&size, &total));
  EQUAL(15 * MIB, size);
  OK(hipDeviceGetAttribute(&value, hipDeviceAttributePciBusId, 1));
  EQUAL(0x23, value);
  EQUAL(hipErrorInvalidValue, hipDeviceGetAttribute(&value, (hipDeviceAttribute_t)9999, 1));
}

/* Memory. */

static void reading_device_memory_kills_the_process(void) {
  volatile char *memory = on_device(4096);
  (void)memory[0];
}

static void writing_device_memory_kills_the_process(void) {
  volatile char *memory = on_device(4096);
  memory[4095] = 1;
}

static void reading_pinned_memory_after_it_was_freed_kills_the_process(void) {
  volatile char *memory = pinned(4096, 1);
  OK(hipHostFree((void *)(uintptr_t)memory));
  (void)memory[0];
}

static void writing_behind_the_last_page_of_pinned_memory_kills_the_process(void) {
  volatile char *memory = pinned(4096, 1);
  memory[4096] = 1;
}

static void writing_behind_pinned_memory_is_told_when_it_is_freed(void) {
  char *memory = pinned(100, 1);
  memory[100] = 1;
  OK(hipHostFree(memory));
  EQUAL(1, fakehip_count("violations"));
  TRUE(strstr(fakehip_violation(0), "byte 0 behind the 100 bytes") != NULL);
  TRUE(fakehip_violation(1) == NULL);
}

static void fresh_memory_is_poisoned_and_page_aligned(void) {
  void *host = NULL;
  OK(hipHostMalloc(&host, 8192, 0));
  TRUE(all_are(host, POISON, 8192));
  EQUAL(0, (uintptr_t)host % 4096);
  char *device = on_device(8192);
  TRUE(device_is(device, POISON, 8192));
  OK(hipHostFree(host));
  OK(hipFree(device));
  no_leaks();
}

static void nothing_can_be_allocated_and_freed(void) {
  void *memory = (void *)1;
  OK(hipHostMalloc(&memory, 0, 0));
  TRUE(memory == NULL);
  memory = (void *)1;
  OK(hipMalloc(&memory, 0));
  TRUE(memory == NULL);
  OK(hipHostFree(NULL));
  OK(hipFree(NULL));
  EQUAL(hipErrorInvalidValue, hipHostMalloc(NULL, 4096, 0));
  EQUAL(hipErrorInvalidValue, hipMalloc(NULL, 4096));
}

static void flags_that_exclude_each_other_are_refused(void) {
  void *memory = NULL;
  EQUAL(hipErrorInvalidValue,
      hipHostMalloc(&memory, 1, FLAG_HOST_COHERENT | FLAG_HOST_NON_COHERENT));
  EQUAL(hipErrorInvalidValue, hipHostMalloc(&memory, 1, 0x100));
  EQUAL(hipErrorInvalidValue, hipHostMalloc(&memory, 1, FLAG_HOST_UNCACHED));
  fakehip_set("version", 70051831);
  OK(hipHostMalloc(&memory, 1, FLAG_HOST_UNCACHED));
  unsigned flags = 0;
  OK(hipHostGetFlags(&flags, memory));
  EQUAL(FLAG_HOST_UNCACHED, flags);
  EQUAL(hipErrorInvalidValue, hipHostGetFlags(&flags, on_device(1)));
}

static void memory_is_freed_once_at_its_start_and_as_what_it_is(void) {
  char *host = pinned(8192, 1);
  char *device = on_device(8192);
  int local;
  EQUAL(hipErrorInvalidValue, hipHostFree(host + 4096));
  EQUAL(hipErrorInvalidValue, hipHostFree(device));
  EQUAL(hipErrorInvalidValue, hipFree(host));
  EQUAL(hipErrorInvalidValue, hipFree(&local));
  EQUAL(hipErrorHostMemoryNotRegistered, hipHostUnregister(&local));
  EQUAL(3, fakehip_count("violations"));
  OK(hipHostFree(host));
  OK(hipFree(device));
  EQUAL(hipErrorInvalidValue, hipHostFree(host));
  EQUAL(hipErrorInvalidValue, hipFree(device));
  EQUAL(5, fakehip_count("violations"));
}

static void pinned_memory_has_a_cap(void) {
  void *memory = NULL;
  setenv("FAKEHIP_HOST_BYTES", "1048576", 1);
  void *first = pinned(MIB - 4096, 1);
  EQUAL(hipErrorOutOfMemory, hipHostMalloc(&memory, 4097, 0));
  TRUE(memory == NULL);
  void *own = aligned_alloc(4096, 8192);
  EQUAL(hipErrorOutOfMemory, hipHostRegister(own, 8192, 0));
  OK(hipHostRegister(own, 4096, 0));
  EQUAL(MIB, fakehip_count("host_bytes"));
  OK(hipHostUnregister(own));
  OK(hipHostFree(first));
  EQUAL(MIB, fakehip_count("peak_host_bytes"));
  no_leaks();
  free(own);
}

static void device_memory_has_a_cap_for_each_device(void) {
  void *memory = NULL;
  setenv("FAKEHIP_DEVICES", "2", 1);
  setenv("FAKEHIP_DEVICE_BYTES", "1048576", 1);
  on_device(MIB);
  EQUAL(hipErrorOutOfMemory, hipMalloc(&memory, 1));
  EQUAL(hipErrorOutOfMemory, hipMalloc(&memory, SIZE_MAX));
  OK(hipSetDevice(1));
  on_device(MIB);
  EQUAL(2 * MIB, fakehip_count("device_bytes"));
}

static void host_alloc_gives_device_memory_before_6_4(void) {
  void *memory = NULL;
  setenv("FAKEHIP_VERSION", "60232831", 1);
  OK(hipHostAlloc(&memory, 4096, 0));
  memset(memory, 1, 4096);
}

static void host_alloc_gives_host_memory_from_6_4(void) {
  void *memory = NULL;
  OK(hipHostAlloc(&memory, 4096, 0));
  memset(memory, 1, 4096);
  EQUAL(hipErrorInvalidValue, hipHostAlloc(&memory, 4096, FLAG_HOST_COHERENT));
  OK(hipFreeHost(memory));
  OK(hipMallocHost(&memory, 4096));
  OK(hipHostFree(memory));
  no_leaks();
}

static void pointers_are_described_as_each_version_numbers_them(void) {
  char *host = pinned(4096, 1);
  char *device = on_device(4096);
  int local;
  hipPointerAttribute_t attributes;
  fakehip_set("version", 50731921);
  OK(hipPointerGetAttributes(&attributes, host + 5));
  EQUAL(0, attributes.type);
  EQUAL(host + 5, attributes.hostPointer);
  OK(hipPointerGetAttributes(&attributes, device + 5));
  EQUAL(1, attributes.type);
  EQUAL(hipErrorInvalidValue, hipPointerGetAttributes(&attributes, &local));
  fakehip_set("version", 60443484);
  OK(hipPointerGetAttributes(&attributes, host));
  EQUAL(1, attributes.type);
  OK(hipPointerGetAttributes(&attributes, device + 5));
  EQUAL(2, attributes.type);
  EQUAL(device + 5, attributes.devicePointer);
  TRUE(attributes.hostPointer == NULL);
  OK(hipPointerGetAttributes(&attributes, &local));
  EQUAL(0, attributes.type);
  EQUAL(hipErrorInvalidValue, hipPointerGetAttributes(&attributes, NULL));
  fakehip_set("version", 70051831);
  OK(hipPointerGetAttributes(&attributes, NULL));
}

/* Registered memory. */

static void *shared_memory(size_t size) {
  char name[64];
  snprintf(name, sizeof name, "/fakehip_test_%d", getpid());
  int fd = shm_open(name, O_CREAT | O_EXCL | O_RDWR, 0600);
  TRUE(fd >= 0);
  shm_unlink(name);
  EQUAL(0, ftruncate(fd, (off_t)size));
  void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  TRUE(memory != MAP_FAILED);
  close(fd);
  return memory;
}

static void check_registered(void *memory, size_t size) {
  void *device = on_device(size);
  hipStream_t stream = new_stream();
  OK(hipHostRegister(memory, size, 0));
  memset(memory, 7, size);
  OK(hipMemcpyAsync(device, memory, size, hipMemcpyHostToDevice, stream));
  OK(hipStreamSynchronize(stream));
  TRUE(device_is(device, 7, size));
  memset(memory, 0, size);
  OK(hipMemcpyAsync(memory, device, size, hipMemcpyDeviceToHost, stream));
  OK(hipStreamSynchronize(stream));
  TRUE(all_are(memory, 7, size));
  EQUAL(0, fakehip_count("pageable"));
  OK(hipHostUnregister(memory));
  OK(hipStreamDestroy(stream));
  OK(hipFree(device));
  no_leaks();
}

static void malloced_mapped_and_shared_memory_can_be_registered(void) {
  void *own = malloc(3 * 4096 + 5);
  check_registered((char *)own + 3, 3 * 4096);
  free(own);
  void *mapped = mmap(NULL, MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  check_registered(mapped, MIB);
  munmap(mapped, MIB);
  void *shared = shared_memory(MIB);
  check_registered(shared, MIB);
  munmap(shared, MIB);
}

static void a_range_is_registered_once(void) {
  char *memory = mmap(NULL, 8 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  OK(hipHostRegister(memory, 4 * 4096, 0));
  EQUAL(hipErrorHostMemoryAlreadyRegistered, hipHostRegister(memory, 4 * 4096, 0));
  EQUAL(hipErrorHostMemoryAlreadyRegistered, hipHostRegister(memory + 3 * 4096, 2 * 4096, 0));
  EQUAL(hipErrorHostMemoryAlreadyRegistered, hipHostRegister(pinned(4096, 1), 4096, 0));
  OK(hipHostRegister(memory + 4 * 4096, 4 * 4096, 0));
  EQUAL(hipErrorHostMemoryNotRegistered, hipHostUnregister(memory + 4096));
  OK(hipHostUnregister(memory));
  EQUAL(hipErrorHostMemoryNotRegistered, hipHostUnregister(memory));
  EQUAL(hipErrorInvalidValue, hipHostUnregister(NULL));
}

static void only_memory_that_is_there_can_be_registered(void) {
  char *memory = mmap(NULL, 4 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  EQUAL(0, mprotect(memory + 3 * 4096, 4096, PROT_NONE));
  EQUAL(hipErrorInvalidValue, hipHostRegister(memory, 4 * 4096, 0));
  EQUAL(0, munmap(memory + 3 * 4096, 4096));
  EQUAL(hipErrorInvalidValue, hipHostRegister(memory, 4 * 4096, 0));
  EQUAL(hipErrorInvalidValue, hipHostRegister(on_device(4096), 4096, 0));
  EQUAL(hipErrorInvalidValue, hipHostRegister(NULL, 4096, 0));
  EQUAL(hipErrorInvalidValue, hipHostRegister(memory, 0, 0));
  OK(hipHostRegister(memory, 3 * 4096, 0));
}

static void flags_of_a_registration_depend_on_the_version(void) {
  char *memory = malloc(4096);
  EQUAL(hipErrorInvalidValue, hipHostRegister(memory, 4096, 16));
  OK(hipHostRegister(memory, 4096, 15));
  OK(hipHostUnregister(memory));
  fakehip_set("version", 70051831);
  EQUAL(hipErrorInvalidValue, hipHostRegister(memory, 4096, 4));
  OK(hipHostRegister(memory, 4096, FLAG_REGISTER_UNCACHED | FLAG_REGISTER_MAPPED));
  OK(hipHostUnregister(memory));
  free(memory);
}

static void registered_memory_has_another_address_for_devices(void) {
  char *memory = malloc(8192);
  char *device = on_device(8192);
  void *view = NULL;
  unsigned flags;
  memset(memory, 9, 8192);
  OK(hipHostRegister(memory, 8192, 0));
  OK(hipHostGetDevicePointer(&view, memory + 4096, 0));
  TRUE(view != memory + 4096);
  OK(hipMemcpy(device, view, 4096, hipMemcpyHostToDevice));
  TRUE(device_is(device, 9, 4096));
  EQUAL(hipErrorInvalidValue, hipMemcpy(device, view, 4097, hipMemcpyHostToDevice));
  EQUAL(hipErrorInvalidValue, hipHostGetFlags(&flags, memory));
  EQUAL(hipErrorInvalidValue, hipHostGetDevicePointer(&view, memory, 1));
  EQUAL(hipErrorInvalidValue, hipHostGetDevicePointer(&view, &flags, 0));
  void *host = pinned(4096, 1);
  OK(hipHostGetDevicePointer(&view, host, 0));
  TRUE(view == host);
}

static void unregistering_drops_what_host_malloc_gave(void) {
  void *memory = pinned(4096, 1);
  OK(hipHostUnregister(memory));
  EQUAL(0, fakehip_count("live_host"));
  EQUAL(1, fakehip_count("violations"));
}

static void a_copy_from_registered_memory_that_was_unmapped_aborts(void) {
  char *memory = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  void *device = on_device(8192);
  OK(hipHostRegister(memory, 8192, 0));
  munmap(memory + 4096, 4096);
  hipMemcpy(device, memory, 4096, hipMemcpyHostToDevice);
}

static void unmapping_registered_memory_is_told_when_it_is_unregistered(void) {
  char *memory = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  OK(hipHostRegister(memory, 8192, 0));
  munmap(memory, 8192);
  OK(hipHostUnregister(memory));
  EQUAL(1, fakehip_count("violations"));
}

/* Copies. */

static void a_source_is_read_when_the_copy_runs(void) {
  char *host = pinned(MIB, 1);
  char *device = on_device(MIB);
  hipStream_t stream = new_stream();
  fakehip_hold();
  OK(hipMemcpyAsync(device, host, MIB, hipMemcpyHostToDevice, stream));
  memset(host, 2, MIB); /* the mistake: the copy has not run */
  fakehip_release();
  OK(hipStreamSynchronize(stream));
  TRUE(device_is(device, 2, MIB));
}

static void a_destination_is_written_when_the_copy_runs(void) {
  char *host = pinned(MIB, 1);
  char *device = on_device(MIB);
  hipStream_t stream = new_stream();
  fakehip_hold();
  OK(hipMemcpyAsync(host, device, MIB, hipMemcpyDeviceToHost, stream));
  TRUE(all_are(host, 1, MIB));
  EQUAL(hipErrorNotReady, hipStreamQuery(stream));
  fakehip_release();
  OK(hipStreamSynchronize(stream));
  OK(hipStreamQuery(stream));
  TRUE(all_are(host, POISON, MIB));
}

/* Looks at memory that a copy is writing: the race is what the test is about. */
__attribute__((no_sanitize("thread"))) static bool becomes(const volatile char *byte, int value) {
  for (int i = 0; i < TIME_LIMIT_S * 1000; i++) {
    if (*byte == (char)value) {
      return true;
    }
    sleep_ms(1);
  }
  return false;
}

static void a_destination_on_the_host_is_poisoned_while_it_is_written(void) {
  char *host = pinned(MIB, 1);
  char *device = on_device(MIB);
  hipStream_t stream = new_stream();
  OK(hipMemsetAsync(device, 2, MIB, stream));
  OK(hipStreamSynchronize(stream));
  fakehip_set("bandwidth", 1000000);
  OK(hipMemcpyAsync(host, device, MIB, hipMemcpyDeviceToHost, stream));
  TRUE(becomes(host + MIB - 1, POISON));
  EQUAL(hipErrorNotReady, hipStreamQuery(stream));
  OK(hipStreamSynchronize(stream));
  TRUE(all_are(host, 2, MIB));
}

static void copies_that_are_held_do_not_begin(void) {
  char *host = pinned(4096, 1);
  char *device = on_device(4096);
  hipStream_t stream = new_stream();
  fakehip_set("delay_us", 0);
  fakehip_hold();
  OK(hipMemcpyAsync(device, host, 4096, hipMemcpyHostToDevice, stream));
  sleep_ms(50);
  EQUAL(1, fakehip_count("pending"));
  TRUE(device_is(device, POISON, 4096));
  fakehip_release();
  OK(hipStreamSynchronize(stream));
  TRUE(device_is(device, 1, 4096));
}

static void a_copy_stays_within_one_allocation(void) {
  char *host = pinned(8192, 1);
  char *device = on_device(8192);
  hipStream_t stream = new_stream();
  EQUAL(hipErrorInvalidValue,
      hipMemcpyAsync(device + 1, host, 8192, hipMemcpyHostToDevice, stream));
  EQUAL(hipErrorInvalidValue,
      hipMemcpyAsync(device, host + 1, 8192, hipMemcpyHostToDevice, stream));
  EQUAL(hipErrorInvalidValue,
      hipMemcpyAsync(host, device + 4096, 8192, hipMemcpyDeviceToHost, stream));
  EQUAL(hipErrorInvalidValue,
      hipMemcpyAsync(device + 8192, host, 1, hipMemcpyHostToDevice, stream));
  EQUAL(1, fakehip_count("violations"));
  OK(hipMemcpyAsync(device + 4096, host, 4096, hipMemcpyHostToDevice, stream));
  OK(hipStreamSynchronize(stream));
  TRUE(device_is(device, POISON, 4096));
  TRUE(device_is(device + 4096, 1, 4096));
}

static void a_copy_does_not_span_two_registrations(void) {
  char *memory = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  char *device = on_device(8192);
  OK(hipHostRegister(memory, 4096, 0));
  EQUAL(hipErrorInvalidValue, hipMemcpy(device, memory, 8192, hipMemcpyHostToDevice));
  OK(hipHostRegister(memory + 4096, 4096, 0));
  EQUAL(hipErrorInvalidValue, hipMemcpy(device, memory, 8192, hipMemcpyHostToDevice));
  EQUAL(hipErrorInvalidValue, hipMemcpy(memory + 1, device, 4096, hipMemcpyDeviceToHost));
}

static void the_kind_of_a_copy_must_be_known_and_fit(void) {
  char *host = pinned(4096, 1);
  char *device = on_device(4096);
  char from[16] = {3};
  char to[16];
  EQUAL(hipErrorInvalidMemcpyDirection, hipMemcpy(device, host, 1, (hipMemcpyKind)5));
  EQUAL(hipErrorInvalidMemcpyDirection, hipMemcpy(device, host, 1, (hipMemcpyKind)-1));
  EQUAL(hipErrorInvalidMemcpyDirection, hipMemcpy(device, host, 1, hipMemcpyDeviceToHost));
  EQUAL(hipErrorInvalidMemcpyDirection, hipMemcpy(host, host, 1, hipMemcpyHostToDevice));
  EQUAL(hipErrorInvalidValue, hipMemcpy(to, from, 16, hipMemcpyHostToDevice));
  OK(hipMemcpy(to, from, 16, hipMemcpyHostToHost));
  EQUAL(0, memcmp(from, to, 16));
  OK(hipMemcpy(device, host, 4096, hipMemcpyDefault));
  TRUE(device_is(device, 1, 4096));
}

static void an_empty_copy_does_nothing_and_a_copy_of_nothing_is_refused(void) {
  char *host = pinned(4096, 1);
  OK(hipMemcpy(NULL, NULL, 0, hipMemcpyDefault));
  EQUAL(hipErrorInvalidValue, hipMemcpy(host, NULL, 1, hipMemcpyDefault));
  EQUAL(hipErrorInvalidValue, hipMemcpy(NULL, host, 1, hipMemcpyDefault));
}

static void a_copy_with_freed_memory_is_refused(void) {
  char *host = pinned(4096, 1);
  char *device = on_device(4096);
  OK(hipHostFree(host));
  EQUAL(hipErrorInvalidValue, hipMemcpy(device, host, 1, hipMemcpyHostToDevice));
  OK(hipFree(device));
  EQUAL(hipErrorInvalidValue, hipMemcpy(device, pinned(1, 1), 1, hipMemcpyHostToDevice));
  EQUAL(2, fakehip_count("violations"));
}

static void a_copy_to_or_from_pageable_memory_is_over_when_the_call_returns(void) {
  char *own = malloc(2 * MIB);
  char *device = on_device(2 * MIB);
  hipStream_t stream = new_stream();
  memset(own, 4, 2 * MIB);
  OK(hipMemcpyAsync(device, own, 2 * MIB, hipMemcpyHostToDevice, stream));
  EQUAL(0, fakehip_count("pending"));
  TRUE(device_is(device, 4, 2 * MIB));
  memset(own, 0, 2 * MIB);
  OK(hipMemcpyAsync(own, device, 2 * MIB, hipMemcpyDeviceToHost, stream));
  TRUE(all_are(own, 4, 2 * MIB));
  EQUAL(2, fakehip_count("pageable"));
  free(own);
}

static void from_6_4_a_small_copy_from_pageable_memory_is_taken_at_once(void) {
  char own[4096];
  char *device = on_device(4096);
  hipStream_t stream = new_stream();
  memset(own, 4, sizeof own);
  fakehip_hold();
  OK(hipMemcpyAsync(device, own, 4096, hipMemcpyHostToDevice, stream));
  memset(own, 5, sizeof own);
  EQUAL(hipErrorNotReady, hipStreamQuery(stream));
  fakehip_release();
  OK(hipStreamSynchronize(stream));
  TRUE(device_is(device, 4, 4096));
}

static void before_6_4_a_small_copy_from_pageable_memory_blocks(void) {
  char own[4096];
  setenv("FAKEHIP_VERSION", "60232831", 1);
  hipStream_t stream = new_stream();
  char *device = on_device(4096);
  memset(own, 4, sizeof own);
  OK(hipMemcpyAsync(device, own, 4096, hipMemcpyHostToDevice, stream));
  EQUAL(0, fakehip_count("pending"));
}

static void a_strided_copy_moves_rows_and_leaves_the_gaps(void) {
  char *host = pinned(4096, 0);
  char *device = on_device(4096);
  hipStream_t stream = new_stream();
  for (int i = 0; i < 40; i++) {
    host[i] = (char)i;
  }
  OK(hipMemcpy2DAsync(device, 100, host, 10, 10, 4, hipMemcpyHostToDevice, stream));
  OK(hipStreamSynchronize(stream));
  for (int row = 0; row < 4; row++) {
    char bytes[100];
    EQUAL(0, fakehip_peek(bytes, device + row * 100, 100));
    EQUAL(0, memcmp(bytes, host + row * 10, 10));
    TRUE(all_are(bytes + 10, POISON, 90));
  }
  memset(host, 0, 4096);
  OK(hipMemcpy2DAsync(host, 20, device, 100, 10, 4, hipMemcpyDeviceToHost, stream));
  OK(hipStreamSynchronize(stream));
  EQUAL(30, host[3 * 20]);
  EQUAL(39, host[3 * 20 + 9]);
  TRUE(all_are(host + 10, 0, 10));
}

static void a_strided_copy_stays_within_one_allocation(void) {
  char *host = pinned(400, 0);
  char *device = on_device(400);
  hipStream_t stream = new_stream();
  const hipMemcpyKind kind = hipMemcpyHostToDevice;
  OK(hipMemcpy2DAsync(device, 100, host, 100, 100, 4, kind, stream));
  OK(hipMemcpy2DAsync(device + 90, 100, host, 10, 10, 4, kind, stream));
  EQUAL(hipErrorInvalidValue,
      hipMemcpy2DAsync(device + 91, 100, host, 10, 10, 4, kind, stream));
  EQUAL(hipErrorInvalidValue, hipMemcpy2DAsync(device, 10, host + 91, 100, 10, 4, kind, stream));
  EQUAL(hipErrorInvalidPitchValue, hipMemcpy2DAsync(device, 9, host, 10, 10, 4, kind, stream));
  EQUAL(hipErrorInvalidPitchValue, hipMemcpy2DAsync(device, 10, host, 9, 10, 4, kind, stream));
  EQUAL(hipErrorInvalidValue,
      hipMemcpy2DAsync(device, SIZE_MAX / 2, host, 10, 10, 4, kind, stream));
  OK(hipMemcpy2DAsync(NULL, 0, NULL, 0, 0, 4, kind, stream));
  OK(hipMemcpy2DAsync(NULL, 0, NULL, 0, 4, 0, kind, stream));
}

static void memory_is_filled_on_a_stream(void) {
  char *device = on_device(4096);
  char own[16];
  hipStream_t stream = new_stream();
  OK(hipMemsetAsync(device, 0x11, 4000, stream));
  OK(hipStreamSynchronize(stream));
  TRUE(device_is(device, 0x11, 4000));
  TRUE(device_is(device + 4000, POISON, 96));
  EQUAL(hipErrorInvalidValue, hipMemsetAsync(device + 1, 0, 4096, stream));
  EQUAL(hipErrorInvalidValue, hipMemsetAsync(own, 0, 16, stream));
  EQUAL(hipErrorInvalidValue, hipMemsetAsync(NULL, 0, 16, stream));
  OK(hipMemsetAsync(NULL, 0, 0, stream));
}

static void copies_of_one_direction_share_an_engine(void) {
  char *host = pinned(MIB, 1);
  char *device = on_device(MIB);
  hipStream_t streams[4];
  setenv("FAKEHIP_BANDWIDTH", "100000000", 1);
  fakehip_set("bandwidth", 100000000);
  for (int i = 0; i < 4; i++) {
    streams[i] = new_stream();
    OK(hipMemcpyAsync(device, host, MIB, hipMemcpyHostToDevice, streams[i]));
  }
  OK(hipDeviceSynchronize());
  int64_t last_end = 0;
  for (int i = 0; i < 4; i++) {
    fakehip_copy copy;
    EQUAL(0, fakehip_log(i, &copy));
    TRUE(copy.queued <= copy.started && copy.started >= last_end);
    TRUE(copy.ended - copy.started >= 10000000);
    EQUAL(MIB, copy.bytes);
    EQUAL(hipMemcpyHostToDevice, copy.direction);
    EQUAL(device, copy.dst);
    last_end = copy.ended;
  }
  fakehip_copy copy;
  EQUAL(-1, fakehip_log(4, &copy));
  fakehip_log_clear();
  EQUAL(-1, fakehip_log(0, &copy));
}

/* Streams and events. */

static void a_stream_keeps_its_order_and_an_event_tells_of_what_came_before(void) {
  char *host = pinned(4 * 4096, 0);
  char *device = on_device(4096);
  hipStream_t stream = new_stream();
  hipEvent_t first = new_event(FLAG_EVENT_DISABLE_TIMING);
  hipEvent_t second = new_event(FLAG_EVENT_DISABLE_TIMING);
  memset(host, 1, 4096);
  memset(host + 4096, 2, 4096);
  OK(hipEventQuery(first));
  OK(hipEventSynchronize(first));
  fakehip_hold();
  OK(hipMemcpyAsync(device, host, 4096, hipMemcpyHostToDevice, stream));
  OK(hipEventRecord(first, stream));
  OK(hipMemcpyAsync(device, host + 4096, 4096, hipMemcpyHostToDevice, stream));
  OK(hipEventRecord(second, stream));
  EQUAL(hipErrorNotReady, hipEventQuery(first));
  fakehip_let(1);
  OK(hipEventSynchronize(first));
  TRUE(device_is(device, 1, 4096));
  EQUAL(hipErrorNotReady, hipEventQuery(second));
  fakehip_let(1);
  OK(hipEventSynchronize(second));
  TRUE(device_is(device, 2, 4096));
}

static void an_event_waits_for_its_latest_record(void) {
  char *host = pinned(4096, 0);
  char *device = on_device(4096);
  hipStream_t stream = new_stream();
  hipEvent_t event = new_event(0);
  OK(hipEventRecord(event, stream));
  OK(hipEventSynchronize(event));
  fakehip_hold();
  OK(hipMemcpyAsync(device, host, 4096, hipMemcpyHostToDevice, stream));
  OK(hipEventRecord(event, stream));
  EQUAL(hipErrorNotReady, hipEventQuery(event));
  OK(hipEventDestroy(event));
  EQUAL(hipErrorInvalidHandle, hipEventQuery(event));
  EQUAL(hipErrorContextIsDestroyed, hipEventDestroy(event));
  EQUAL(hipErrorInvalidHandle, hipEventDestroy(NULL));
  fakehip_release();
  OK(hipStreamSynchronize(stream));
}

static void a_stream_waits_for_an_event_of_another(void) {
  char *host = pinned(2 * 4096, 1);
  char *device = on_device(4096);
  hipStream_t writer = new_stream();
  hipStream_t reader = new_stream();
  hipEvent_t written = new_event(FLAG_EVENT_DISABLE_TIMING);
  OK(hipStreamWaitEvent(reader, written, 0)); /* never recorded: no wait */
  fakehip_hold();
  OK(hipMemcpyAsync(device, host, 4096, hipMemcpyHostToDevice, writer));
  OK(hipEventRecord(written, writer));
  OK(hipStreamWaitEvent(reader, written, 0));
  OK(hipMemcpyAsync(host + 4096, device, 4096, hipMemcpyDeviceToHost, reader));
  memset(host, 6, 4096);
  OK(hipEventDestroy(written));
  fakehip_release();
  OK(hipStreamSynchronize(reader));
  TRUE(all_are(host + 4096, 6, 4096));
  EQUAL(hipErrorInvalidHandle, hipStreamWaitEvent(reader, NULL, 0));
  EQUAL(hipErrorInvalidHandle, hipStreamWaitEvent((hipStream_t)0x1234560, new_event(0), 0));
  EQUAL(hipErrorInvalidValue, hipStreamWaitEvent(reader, new_event(0), 1));
}

static void count_up(void *argument) { __atomic_add_fetch((int *)argument, 1, __ATOMIC_SEQ_CST); }

static void what_is_behind_a_wait_for_an_event_does_not_begin_before_it(void) {
  char *host = pinned(4096, 1);
  char *device = on_device(4096);
  hipStream_t writer = new_stream();
  hipStream_t reader = new_stream();
  hipEvent_t written = new_event(FLAG_EVENT_DISABLE_TIMING);
  int begun = 0;
  fakehip_hold();
  OK(hipMemcpyAsync(device, host, 4096, hipMemcpyHostToDevice, writer));
  OK(hipEventRecord(written, writer));
  OK(hipStreamWaitEvent(reader, written, 0));
  OK(hipLaunchHostFunc(reader, count_up, &begun));
  sleep_ms(50);
  EQUAL(0, __atomic_load_n(&begun, __ATOMIC_SEQ_CST));
  fakehip_release();
  OK(hipStreamSynchronize(reader));
  EQUAL(1, __atomic_load_n(&begun, __ATOMIC_SEQ_CST));
}

static void time_passes_between_events_that_keep_it(void) {
  hipStream_t stream = new_stream();
  hipEvent_t start = new_event(0);
  hipEvent_t stop = new_event(0);
  hipEvent_t silent = new_event(FLAG_EVENT_DISABLE_TIMING);
  char *host = pinned(MIB, 1);
  char *device = on_device(MIB);
  float ms = -1;
  fakehip_set("bandwidth", 100000000);
  EQUAL(hipErrorInvalidHandle, hipEventElapsedTime(&ms, start, stop));
  fakehip_hold();
  OK(hipEventRecord(start, stream));
  OK(hipMemcpyAsync(device, host, MIB, hipMemcpyHostToDevice, stream));
  OK(hipEventRecord(stop, stream));
  OK(hipEventRecord(silent, stream));
  EQUAL(hipErrorNotReady, hipEventElapsedTime(&ms, start, stop));
  fakehip_release();
  OK(hipEventSynchronize(silent));
  OK(hipEventElapsedTime(&ms, start, stop));
  TRUE(ms >= 10 && ms < TIME_LIMIT_S * 1000);
  EQUAL(hipErrorInvalidHandle, hipEventElapsedTime(&ms, start, silent));
  EQUAL(hipErrorInvalidValue, hipEventElapsedTime(NULL, start, stop));
}

static void event_flags_are_checked(void) {
  hipEvent_t event = NULL;
  EQUAL(hipErrorInvalidValue, hipEventCreateWithFlags(&event, FLAG_EVENT_INTERPROCESS));
  EQUAL(hipErrorInvalidValue, hipEventCreateWithFlags(&event, 8));
  EQUAL(hipErrorInvalidValue, hipEventCreateWithFlags(&event,
      FLAG_EVENT_RELEASE_TO_DEVICE | FLAG_EVENT_RELEASE_TO_SYSTEM));
  EQUAL(hipErrorInvalidValue, hipEventCreateWithFlags(NULL, 0));
  OK(hipEventDestroy(new_event(FLAG_EVENT_BLOCKING_SYNC | FLAG_EVENT_DISABLE_TIMING)));
  hipStream_t stream = NULL;
  EQUAL(hipErrorInvalidValue, hipStreamCreateWithFlags(&stream, 2));
  EQUAL(hipErrorInvalidValue, hipStreamCreateWithFlags(NULL, 0));
  OK(hipStreamCreateWithPriority(&stream, 0, -100));
  OK(hipStreamDestroy(stream));
  no_leaks();
}

static void an_event_is_recorded_on_streams_of_its_device(void) {
  setenv("FAKEHIP_DEVICES", "2", 1);
  hipEvent_t event = new_event(0);
  OK(hipSetDevice(1));
  hipStream_t stream = new_stream();
  EQUAL(hipErrorInvalidHandle, hipEventRecord(event, stream));
  EQUAL(hipErrorInvalidHandle, hipEventRecord(event, NULL));
  OK(hipSetDevice(0));
  OK(hipEventRecord(event, NULL));
  EQUAL(hipErrorInvalidHandle, hipEventRecord(NULL, NULL));
}

static void the_default_stream_waits_for_blocking_streams_only(void) {
  hipStream_t blocking = NULL;
  OK(hipStreamCreateWithFlags(&blocking, 0));
  hipStream_t other = new_stream();
  char *host = pinned(2 * 4096, 1);
  char *device = on_device(4096);
  char *unrelated = on_device(4096);
  fakehip_hold();
  OK(hipMemcpyAsync(unrelated, host, 4096, hipMemcpyHostToDevice, other));
  OK(hipStreamQuery(NULL));
  OK(hipStreamSynchronize(NULL));
  EQUAL(hipErrorNotReady, hipStreamQuery(other));
  OK(hipMemcpyAsync(device, host, 4096, hipMemcpyHostToDevice, blocking));
  EQUAL(hipErrorNotReady, hipStreamQuery(NULL));
  OK(hipMemcpyAsync(host + 4096, device, 4096, hipMemcpyDeviceToHost, NULL));
  memset(host, 3, 4096);
  fakehip_release();
  OK(hipStreamSynchronize((hipStream_t)(uintptr_t)HANDLE_STREAM_LEGACY));
  TRUE(all_are(host + 4096, 3, 4096));
}

static void *use_own_stream(void *device) {
  hipStream_t own = (hipStream_t)(uintptr_t)HANDLE_STREAM_PER_THREAD;
  OK(hipMemsetAsync(device, 1, 4096, own));
  OK(hipStreamSynchronize(own));
  TRUE(device_is(device, 1, 4096));
  EQUAL(hipErrorInvalidHandle, hipStreamDestroy(own));
  return NULL;
}

static void every_thread_has_a_stream_of_its_own(void) {
  void *device = on_device(4096);
  use_own_stream(device);
  in_thread(use_own_stream, device);
  EQUAL(0, fakehip_count("live_streams"));
}

static void a_destroyed_stream_is_noticed_up_to_version_6(void) {
  hipStream_t stream = new_stream();
  hipEvent_t event = new_event(0);
  OK(hipStreamDestroy(stream));
  EQUAL(hipErrorContextIsDestroyed, hipStreamQuery(stream));
  EQUAL(hipErrorContextIsDestroyed, hipStreamSynchronize(stream));
  EQUAL(hipErrorContextIsDestroyed, hipStreamDestroy(stream));
  EQUAL(hipErrorContextIsDestroyed, hipEventRecord(event, stream));
  EQUAL(hipErrorContextIsDestroyed,
      hipMemcpyAsync(on_device(1), pinned(1, 1), 1, hipMemcpyDefault, stream));
  EQUAL(hipErrorContextIsDestroyed, hipStreamQuery((hipStream_t)event));
  EQUAL(hipErrorInvalidHandle, hipStreamDestroy(NULL));
}

static void a_destroyed_stream_is_death_from_version_7(void) {
  setenv("FAKEHIP_VERSION", "70051831", 1);
  hipStream_t stream = new_stream();
  OK(hipStreamDestroy(stream));
  hipStreamQuery(stream);
}

static void a_destroyed_stream_goes_on_with_its_copies(void) {
  char *host = pinned(4096, 1);
  char *device = on_device(4096);
  hipStream_t stream = new_stream();
  fakehip_hold();
  OK(hipMemcpyAsync(device, host, 4096, hipMemcpyHostToDevice, stream));
  OK(hipStreamDestroy(stream));
  EQUAL(1, fakehip_count("pending"));
  memset(host, 8, 4096);
  fakehip_release();
  OK(hipDeviceSynchronize());
  TRUE(device_is(device, 8, 4096));
}

static void *release_soon(void *unused) {
  (void)unused;
  sleep_ms(50);
  fakehip_release();
  return NULL;
}

static void freeing_memory_waits_for_the_device(void) {
  void *own = malloc(4096);
  hipStream_t stream = new_stream();
  for (int what = 0; what < 3; what++) {
    char *host = pinned(4096, what);
    char *device = on_device(4096);
    OK(hipHostRegister(own, 4096, 0));
    fakehip_hold();
    OK(hipMemcpyAsync(device, host, 4096, hipMemcpyHostToDevice, stream));
    EQUAL(1, fakehip_count("pending"));
    pthread_t thread;
    EQUAL(0, pthread_create(&thread, NULL, release_soon, NULL));
    if (what == 0) {
      OK(hipFree(device));
      EQUAL(0, fakehip_count("pending"));
      OK(hipHostFree(host));
      OK(hipHostUnregister(own));
    } else if (what == 1) {
      OK(hipHostFree(host));
      EQUAL(0, fakehip_count("pending"));
      OK(hipFree(device));
      OK(hipHostUnregister(own));
    } else {
      OK(hipHostUnregister(own));
      EQUAL(0, fakehip_count("pending"));
      OK(hipHostFree(host));
      OK(hipFree(device));
    }
    EQUAL(0, pthread_join(thread, NULL));
  }
  OK(hipStreamDestroy(stream));
  no_leaks();
  free(own);
}

static void freeing_memory_that_another_device_uses_aborts(void) {
  setenv("FAKEHIP_DEVICES", "2", 1);
  char *host = pinned(4096, 1);
  OK(hipSetDevice(1));
  char *device = on_device(4096);
  hipStream_t stream = new_stream();
  fakehip_hold();
  OK(hipMemcpyAsync(device, host, 4096, hipMemcpyHostToDevice, stream));
  hipHostFree(host);
}

static void copies_between_devices_work(void) {
  setenv("FAKEHIP_DEVICES", "2", 1);
  char *from = on_device(4096);
  OK(hipMemsetAsync(from, 5, 4096, NULL));
  OK(hipDeviceSynchronize());
  OK(hipSetDevice(1));
  char *to = on_device(4096);
  EQUAL(0, fakehip_device_of(from + 4095));
  EQUAL(1, fakehip_device_of(to));
  EQUAL(-1, fakehip_device_of(to + 4096));
  OK(hipMemcpyAsync(to, from, 4096, hipMemcpyDeviceToDevice, NULL));
  OK(hipStreamSynchronize(NULL));
  TRUE(device_is(to, 5, 4096));
}

struct seen {
  pthread_t thread;
  const void *device;
  bool copied;
  int code;
};

static void look(void *argument) {
  struct seen *seen = argument;
  int device;
  seen->thread = pthread_self();
  seen->copied = device_is(seen->device, 1, 4096);
  seen->code = hipGetDevice(&device);
}

static void a_host_function_runs_in_order_on_another_thread_and_may_not_call(void) {
  char *host = pinned(4096, 1);
  struct seen seen = {.device = on_device(4096)};
  hipStream_t stream = new_stream();
  OK(hipMemcpyAsync((void *)(uintptr_t)seen.device, host, 4096, hipMemcpyHostToDevice, stream));
  OK(hipLaunchHostFunc(stream, look, &seen));
  OK(hipStreamSynchronize(stream));
  TRUE(seen.copied);
  TRUE(!pthread_equal(seen.thread, pthread_self()));
  EQUAL(hipErrorIllegalState, seen.code);
  EQUAL(1, fakehip_count("violations"));
  EQUAL(hipErrorInvalidValue, hipLaunchHostFunc(stream, NULL, NULL));
}

/* Faults. */

static void the_nth_call_fails_once_and_does_nothing(void) {
  void *memory = (void *)1;
  fakehip_inject("hipMalloc", 2, hipErrorOutOfMemory);
  OK(hipMalloc(&memory, 1));
  memory = (void *)1;
  EQUAL(hipErrorOutOfMemory, hipMalloc(&memory, 1));
  TRUE(memory == (void *)1);
  OK(hipMalloc(&memory, 1));
  EQUAL(3, fakehip_calls("hipMalloc"));
  EQUAL(2, fakehip_count("live_device"));
  fakehip_inject("hipMalloc", 0, hipErrorOutOfMemory);
  EQUAL(hipErrorOutOfMemory, hipMalloc(&memory, 1));
  EQUAL(hipErrorOutOfMemory, hipMalloc(&memory, 1));
  fakehip_heal();
  OK(hipMalloc(&memory, 1));
  EQUAL(0, fakehip_calls("hipNoSuchCall"));
  EQUAL(-1, fakehip_count("no such counter"));
  EQUAL(-1, fakehip_set("no such setting", 1));
}

static void faults_come_from_the_environment(void) {
  void *memory = NULL;
  setenv("FAKEHIP_INJECT", "hipHostMalloc:1:2;hipMalloc:2:999", 1);
  EQUAL(hipErrorOutOfMemory, hipHostMalloc(&memory, 1, 0));
  OK(hipHostMalloc(&memory, 1, 0));
  OK(hipMalloc(&memory, 1));
  EQUAL(hipErrorUnknown, hipMalloc(&memory, 1));
}

static void check_lost(hipError_t code) {
  setenv("FAKEHIP_DEVICES", "2", 1);
  char *host = pinned(3 * 4096, 1);
  char *device = on_device(3 * 4096);
  hipStream_t stream = new_stream();
  hipEvent_t event = new_event(FLAG_EVENT_DISABLE_TIMING);
  void *memory = NULL;
  const hipMemcpyKind kind = hipMemcpyHostToDevice;
  fakehip_inject("copy", 2, code);
  fakehip_hold();
  for (int i = 0; i < 3; i++) {
    OK(hipMemcpyAsync(device + i * 4096, host + i * 4096, 4096, kind, stream));
  }
  OK(hipEventRecord(event, stream));
  fakehip_release();
  EQUAL(code, hipEventSynchronize(event));
  TRUE(device_is(device, 1, 4096));
  TRUE(device_is(device + 4096, POISON, 8192));
  EQUAL(code, hipEventQuery(event));
  EQUAL(code, hipEventRecord(event, stream));
  EQUAL(code, hipStreamSynchronize(stream));
  EQUAL(code, hipStreamQuery(stream));
  EQUAL(code, hipDeviceSynchronize());
  EQUAL(code, hipMemcpyAsync(device, host, 4096, kind, stream));
  EQUAL(code, hipMalloc(&memory, 1));
  EQUAL(code, hipHostMalloc(&memory, 1, 0));
  OK(hipSetDevice(1));
  OK(hipMalloc(&memory, 1)); /* the other device is well */
  OK(hipFree(memory));
  OK(hipSetDevice(0));
  EQUAL(code, hipStreamDestroy(stream));
  OK(hipEventDestroy(event));
  EQUAL(code, hipFree(device));
  EQUAL(code, hipHostFree(host));
  no_leaks();
}

static void a_device_lost_by_an_illegal_address_stays_lost(void) {
  check_lost(hipErrorIllegalAddress);
}

static void a_device_lost_by_a_launch_failure_stays_lost(void) { check_lost(hipErrorLaunchFailure); }

/* Memory of other processes. */

static void import(int from, int to) {
  hipIpcMemHandle_t handle;
  char *memory = NULL;
  void *host;
  EQUAL(sizeof handle, read(from, &handle, sizeof handle));
  EQUAL(hipErrorInvalidValue, hipIpcOpenMemHandle((void **)&memory, handle, 0));
  EQUAL(hipErrorInvalidValue, hipIpcOpenMemHandle(NULL, handle, 1));
  hipIpcMemHandle_t wrong = handle;
  wrong.reserved[0] ^= 1;
  EQUAL(hipErrorInvalidDevicePointer, hipIpcOpenMemHandle((void **)&memory, wrong, 1));
  memset(&wrong, 0, sizeof wrong);
  EQUAL(hipErrorInvalidValue, hipIpcOpenMemHandle((void **)&memory, wrong, 1));
  OK(hipIpcOpenMemHandle((void **)&memory, handle, 1));
  EQUAL(1, fakehip_count("live_ipc"));
  host = pinned(4096, 0);
  OK(hipMemcpy(host, memory, 4096, hipMemcpyDeviceToHost));
  TRUE(all_are(host, 6, 4096));
  memset(host, 7, 4096);
  OK(hipMemcpy(memory, host, 4096, hipMemcpyHostToDevice));
  EQUAL(hipErrorInvalidValue, hipMemcpy(host, memory, 4097, hipMemcpyDeviceToHost));
  EQUAL(hipErrorInvalidValue, hipFree(memory));
  EQUAL(sizeof handle, write(to, &handle, sizeof handle));
  EQUAL(sizeof handle, read(from, &handle, sizeof handle)); /* the exporter has freed it */
  OK(hipMemcpy(host, memory, 4096, hipMemcpyDeviceToHost));
  TRUE(!all_are(host, 7, 4096));
  OK(hipIpcCloseMemHandle(memory));
  EQUAL(hipErrorInvalidHandle, hipIpcCloseMemHandle(memory));
  EQUAL(hipErrorInvalidHandle, hipIpcCloseMemHandle(host));
  EQUAL(hipErrorInvalidDevicePointer, hipIpcOpenMemHandle((void **)&memory, handle, 1));
  OK(hipHostFree(host));
  EQUAL(0, fakehip_count("live_ipc"));
  _exit(0);
}

static void another_process_opens_device_memory_by_its_handle(void) {
  int there[2];
  int back[2];
  EQUAL(0, pipe(there));
  EQUAL(0, pipe(back));
  pid_t importer = fork(); /* before this process starts threads */
  if (importer == 0) {
    /* So that it reads the end and goes, too, if this process fails. */
    close(there[1]);
    close(back[0]);
    import(there[0], back[1]);
  }
  close(there[0]);
  close(back[1]);
  char *device = on_device(3 * 4096);
  char page[4096];
  memset(page, 6, sizeof page);
  EQUAL(0, fakehip_poke(device + 2 * 4096, page, sizeof page));
  EQUAL(-1, fakehip_poke(device + 2 * 4096 + 1, page, sizeof page));
  EQUAL(-1, fakehip_peek(page, page, sizeof page));
  hipIpcMemHandle_t handle;
  void *opened = NULL;
  EQUAL(hipErrorInvalidValue, hipIpcGetMemHandle(&handle, pinned(1, 1)));
  EQUAL(hipErrorInvalidValue, hipIpcGetMemHandle(NULL, device));
  OK(hipIpcGetMemHandle(&handle, device + 2 * 4096));
  EQUAL(hipErrorInvalidContext, hipIpcOpenMemHandle(&opened, handle, 1));
  EQUAL(sizeof handle, write(there[1], &handle, sizeof handle));
  hipIpcMemHandle_t answer;
  EQUAL(sizeof answer, read(back[0], &answer, sizeof answer));
  TRUE(device_is(device, POISON, 2 * 4096));
  TRUE(device_is(device + 2 * 4096, 7, 4096));
  OK(hipFree(device));
  EQUAL(sizeof handle, write(there[1], &handle, sizeof handle));
  int status = 0;
  EQUAL(importer, waitpid(importer, &status, 0));
  EQUAL(0, status);
}

static void in_version_5_the_flag_of_an_import_is_0(void) {
  void *memory = NULL;
  hipIpcMemHandle_t handle;
  setenv("FAKEHIP_VERSION", "50731921", 1);
  OK(hipIpcGetMemHandle(&handle, on_device(4096)));
  EQUAL(hipErrorInvalidValue, hipIpcOpenMemHandle(&memory, handle, 1));
  EQUAL(hipErrorInvalidContext, hipIpcOpenMemHandle(&memory, handle, 0));
  EQUAL(hipErrorInvalidValue, hipIpcCloseMemHandle(&memory));
}

/* Many at once. */

#define THREADS 4
#define ROUNDS 50

static void *work(void *argument) {
  int byte = (int)(intptr_t)argument;
  OK(hipSetDevice(byte % 2));
  for (int round = 0; round < ROUNDS; round++) {
    char *from = pinned(65536, byte);
    char *to = pinned(65536, 0);
    char *device = on_device(65536);
    hipStream_t stream = new_stream();
    hipEvent_t event = new_event(FLAG_EVENT_DISABLE_TIMING);
    OK(hipMemcpyAsync(device, from, 65536, hipMemcpyHostToDevice, stream));
    OK(hipMemcpyAsync(to, device, 65536, hipMemcpyDeviceToHost, stream));
    OK(hipEventRecord(event, stream));
    OK(hipEventSynchronize(event));
    TRUE(all_are(to, byte, 65536));
    OK(hipEventDestroy(event));
    OK(hipStreamDestroy(stream));
    OK(hipHostFree(from));
    OK(hipHostFree(to));
    OK(hipFree(device));
  }
  return NULL;
}

static void threads_work_beside_each_other_and_nothing_leaks(void) {
  pthread_t threads[THREADS];
  setenv("FAKEHIP_DEVICES", "2", 1);
  setenv("FAKEHIP_DELAY_US", "10", 1);
  for (int i = 0; i < THREADS; i++) {
    EQUAL(0, pthread_create(&threads[i], NULL, work, (void *)(intptr_t)(i + 1)));
  }
  for (int i = 0; i < THREADS; i++) {
    EQUAL(0, pthread_join(threads[i], NULL));
  }
  EQUAL(2 * THREADS * ROUNDS, fakehip_count("copies"));
  EQUAL(2 * THREADS * ROUNDS * 65536, fakehip_count("bytes"));
  no_leaks();
}

static const struct {
  const char *name;
  void (*run)(void);
  int signal; /* that ends the test, or 0 */
} tests[] = {
#define T(name) {#name, name, 0}
#define DIES(name, signal) {#name, name, signal}
  T(without_a_device_calls_answer_100_and_leave_their_results_alone),
  T(without_a_device_version_5_2_answers_101),
  T(a_runtime_that_does_not_start_answers_its_code_and_no_count),
  T(the_version_is_that_of_the_environment),
  T(unknown_codes_have_the_name_unknown),
  T(up_to_version_6_the_last_error_is_that_of_the_previous_call),
  T(from_version_7_the_last_error_is_the_last_that_was_one),
  T(each_soname_has_the_symbols_of_its_version),
  T(properties_of_the_plain_name_have_the_old_layout),
  T(the_current_device_is_that_of_the_thread),
  T(devices_have_names_buses_and_memory),
  DIES(reading_device_memory_kills_the_process, SIGSEGV),
  DIES(writing_device_memory_kills_the_process, SIGSEGV),
  DIES(reading_pinned_memory_after_it_was_freed_kills_the_process, SIGSEGV),
  DIES(writing_behind_the_last_page_of_pinned_memory_kills_the_process, SIGSEGV),
  T(writing_behind_pinned_memory_is_told_when_it_is_freed),
  T(fresh_memory_is_poisoned_and_page_aligned),
  T(nothing_can_be_allocated_and_freed),
  T(flags_that_exclude_each_other_are_refused),
  T(memory_is_freed_once_at_its_start_and_as_what_it_is),
  T(pinned_memory_has_a_cap),
  T(device_memory_has_a_cap_for_each_device),
  DIES(host_alloc_gives_device_memory_before_6_4, SIGSEGV),
  T(host_alloc_gives_host_memory_from_6_4),
  T(pointers_are_described_as_each_version_numbers_them),
  T(malloced_mapped_and_shared_memory_can_be_registered),
  T(a_range_is_registered_once),
  T(only_memory_that_is_there_can_be_registered),
  T(flags_of_a_registration_depend_on_the_version),
  T(registered_memory_has_another_address_for_devices),
  T(unregistering_drops_what_host_malloc_gave),
  DIES(a_copy_from_registered_memory_that_was_unmapped_aborts, SIGABRT),
  T(unmapping_registered_memory_is_told_when_it_is_unregistered),
  T(a_source_is_read_when_the_copy_runs),
  T(a_destination_is_written_when_the_copy_runs),
  T(a_destination_on_the_host_is_poisoned_while_it_is_written),
  T(copies_that_are_held_do_not_begin),
  T(a_copy_stays_within_one_allocation),
  T(a_copy_does_not_span_two_registrations),
  T(the_kind_of_a_copy_must_be_known_and_fit),
  T(an_empty_copy_does_nothing_and_a_copy_of_nothing_is_refused),
  T(a_copy_with_freed_memory_is_refused),
  T(a_copy_to_or_from_pageable_memory_is_over_when_the_call_returns),
  T(from_6_4_a_small_copy_from_pageable_memory_is_taken_at_once),
  T(before_6_4_a_small_copy_from_pageable_memory_blocks),
  T(a_strided_copy_moves_rows_and_leaves_the_gaps),
  T(a_strided_copy_stays_within_one_allocation),
  T(memory_is_filled_on_a_stream),
  T(copies_of_one_direction_share_an_engine),
  T(a_stream_keeps_its_order_and_an_event_tells_of_what_came_before),
  T(an_event_waits_for_its_latest_record),
  T(a_stream_waits_for_an_event_of_another),
  T(what_is_behind_a_wait_for_an_event_does_not_begin_before_it),
  T(time_passes_between_events_that_keep_it),
  T(event_flags_are_checked),
  T(an_event_is_recorded_on_streams_of_its_device),
  T(the_default_stream_waits_for_blocking_streams_only),
  T(every_thread_has_a_stream_of_its_own),
  T(a_destroyed_stream_is_noticed_up_to_version_6),
  DIES(a_destroyed_stream_is_death_from_version_7, SIGSEGV),
  T(a_destroyed_stream_goes_on_with_its_copies),
  T(freeing_memory_waits_for_the_device),
  DIES(freeing_memory_that_another_device_uses_aborts, SIGABRT),
  T(copies_between_devices_work),
  T(a_host_function_runs_in_order_on_another_thread_and_may_not_call),
  T(the_nth_call_fails_once_and_does_nothing),
  T(faults_come_from_the_environment),
  T(a_device_lost_by_an_illegal_address_stays_lost),
  T(a_device_lost_by_a_launch_failure_stays_lost),
  T(another_process_opens_device_memory_by_its_handle),
  T(in_version_5_the_flag_of_an_import_is_0),
  T(threads_work_beside_each_other_and_nothing_leaks),
};

/* Runs a test in a process of its own, and tells whether it ended as it should. */
static bool passes(size_t index) {
  int said[2];
  if (pipe(said) != 0) {
    return false;
  }
  fflush(stdout);
  pid_t child = fork();
  if (child == 0) {
    const struct rlimit no_core = {0, 0};
    setrlimit(RLIMIT_CORE, &no_core);
    dup2(said[1], STDERR_FILENO);
    alarm(TIME_LIMIT_S);
    tests[index].run();
    fflush(stdout);
    _exit(0);
  }
  close(said[1]);
  char text[4096];
  size_t length = 0;
  ssize_t part;
  while ((part = read(said[0], text + length, sizeof text - 1 - length)) > 0) {
    length += (size_t)part;
    if (length == sizeof text - 1) {
      length = 0;
    }
  }
  text[length] = '\0';
  close(said[0]);
  int status = 0;
  waitpid(child, &status, 0);
  bool as_expected = tests[index].signal == 0
      ? WIFEXITED(status) && WEXITSTATUS(status) == 0
      : WIFSIGNALED(status) && WTERMSIG(status) == tests[index].signal;
  if (!as_expected) {
    printf("%s    ended with status %x, should have been signal %d\n", text, (unsigned)status,
        tests[index].signal);
  }
  return as_expected;
}

int main(int argc, char **argv) {
  int failed = 0;
  int run = 0;
  for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++) {
    if (argc > 1 && strstr(tests[i].name, argv[1]) == NULL) {
      continue;
    }
    bool passed = passes(i);
    printf("%s %s\n", passed ? "ok    " : "FAILED", tests[i].name);
    run++;
    failed += passed ? 0 : 1;
  }
  printf("%d tests, %d failed\n", run, failed);
  return failed == 0 && run > 0 ? 0 : 1;
}
