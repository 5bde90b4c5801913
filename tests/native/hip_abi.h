/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The C ABI of the HIP runtime, as far as the fake has it: x86-64 Linux, LP64. Signatures, enum
 * values and layouts are the same from 5.2.3 to 6.4.3 unless a comment says otherwise; abi_check.c
 * proves it where AMD's header is installed.
 */
#ifndef FAKEHIP_HIP_ABI_H
#define FAKEHIP_HIP_ABI_H

#include <stddef.h>

#include "hip_constants.h"

typedef enum hipError_t {
#define X(name, value, sentence) name = value,
  HIP_ERRORS(X)
#undef X
} hipError_t;

typedef enum hipMemcpyKind {
#define X(name, value) name = value,
  HIP_MEMCPY_KINDS(X)
#undef X
} hipMemcpyKind;

typedef enum hipDeviceAttribute_t {
#define X(name, value) name = value,
  HIP_DEVICE_ATTRIBUTES(X) HIP_DEVICE_ATTRIBUTES_SINCE_5_7(X)
#undef X
} hipDeviceAttribute_t;

typedef struct ihipStream_t *hipStream_t;
typedef struct ihipEvent_t *hipEvent_t;
typedef int hipDevice_t;
typedef void (*hipHostFn_t)(void *argument);

typedef struct hipIpcMemHandle_st {
  char reserved[64];
} hipIpcMemHandle_t;

/* 32 bytes in every version; the first field is "memoryType" in 5.x and numbered differently. */
typedef struct hipPointerAttribute_t {
  int type;
  int device;
  void *devicePointer;
  void *hostPointer;
  int isManaged;
  unsigned allocationFlags;
} hipPointerAttribute_t;

#include "hip_functions.h"

#endif
