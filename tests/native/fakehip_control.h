/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the fake of libamdhip64 exports beside HIP, for tests: settings, injected faults, a gate for
 * copies, counters and a log of copies. All functions may be called from any thread, and work
 * whatever state the fake is in.
 *
 * Settings are taken from the environment at the first call (the names in brackets) and may be
 * changed later by fakehip_set:
 *
 *   devices       number of devices, 0 to 8 [FAKEHIP_DEVICES, 1]; 0 answers as the real library
 *                 does on a machine without a GPU
 *   version       what hipRuntimeGetVersion answers, major * 10^7 + minor * 10^5 + patch
 *                 [FAKEHIP_VERSION, that of the soname]; behaviour follows it
 *   device_bytes  memory of each device [FAKEHIP_DEVICE_BYTES, 8 GiB]
 *   host_bytes    cap on pinned and registered host memory together [FAKEHIP_HOST_BYTES, 0: none]
 *   delay_us      pause before a copy begins to read, in us [FAKEHIP_DELAY_US, 100]
 *   bandwidth     bytes a second of each copy engine [FAKEHIP_BANDWIDTH, 0: as fast as it goes]
 *   init_error    code that every call which needs a device answers [FAKEHIP_INIT_ERROR, 0: none]
 *
 * FAKEHIP_INJECT=call:nth:code;... injects faults from the start, as fakehip_inject does.
 */
#ifndef FAKEHIP_CONTROL_H
#define FAKEHIP_CONTROL_H

#include <stddef.h>
#include <stdint.h>

/* Changes a setting. Returns 0, or -1 if there is no such setting or the value is out of range. */
int fakehip_set(const char *setting, int64_t value);

/*
 * Makes the nth call of a function from now (1: the next) fail with a code, once; with nth 0 every
 * call from now fails. The call has no effect then. Instead of a function's name, "copy" means a
 * copy that runs on a device: when the nth begins, the device is lost with that code. It moves
 * nothing, nor does any copy after it, and every call that concerns the device answers the code.
 */
void fakehip_inject(const char *call, int64_t nth, int code);

/* Drops faults that have not struck yet, and finds lost devices again. */
void fakehip_heal(void);

/* Holds copies back before they begin; fakehip_let lets the next count through. */
void fakehip_hold(void);
void fakehip_let(int64_t count);
void fakehip_release(void);

/* Number of calls of a HIP function so far, refused ones included. */
int64_t fakehip_calls(const char *function);

/*
 * A counter, or -1 if there is none of that name:
 *   live_host, live_registered, live_device, live_ipc   allocations that were not given back
 *   live_streams, live_events                           handles that were not destroyed
 *   host_bytes, device_bytes                            in use now, device_bytes on all devices
 *   peak_host_bytes                                     highest so far
 *   copies, bytes                                       that completed, of every direction
 *   pending                                             operations queued and not completed
 *   pageable                                            copies with an end that was not pinned
 *   violations                                          see fakehip_violation
 */
int64_t fakehip_count(const char *counter);

/*
 * Misuse that a real runtime need not report: bytes written behind an allocation, memory used after
 * it was freed, HIP called from a host function, a range unmapped while it was registered. Returns
 * its description, or NULL. The text stays valid.
 */
const char *fakehip_violation(int64_t index);

/* One copy or fill that was run, in the order of completion. Times are of CLOCK_MONOTONIC, in ns. */
typedef struct fakehip_copy {
  uint64_t stream; /* the handle; 0 for the default stream */
  uint64_t dst;
  uint64_t src;
  uint64_t bytes;
  int64_t queued;
  int64_t started;
  int64_t ended;
  int32_t device;
  int32_t direction; /* a hipMemcpyKind, 0 to 3; -1 for a fill */
  int32_t code;      /* 0, or what lost the device */
  int32_t pageable;
} fakehip_copy;

/* Copies the entry into *copy. Returns 0, or -1 if there is none. The log keeps the first 65536. */
int fakehip_log(int64_t index, fakehip_copy *copy);

/* Forgets the log. */
void fakehip_log_clear(void);

/*
 * Reads or writes device memory behind the runtime's back, without waiting for anything: what the
 * device holds at this moment. Returns 0, or -1 if the range is not in one device allocation.
 */
int fakehip_peek(void *out, const void *device_address, size_t size);
int fakehip_poke(void *device_address, const void *in, size_t size);

/* The device that was current when the memory at an address was taken, or -1 if that is unknown. */
int fakehip_device_of(const void *address);

#endif
