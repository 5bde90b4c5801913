/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Holds the constants, layouts and signatures of the fake against AMD's own header; compiling is
 * the whole test:
 *
 *   cc -std=c11 -fsyntax-only -D__HIP_PLATFORM_AMD__ -I<directory of hip/> abi_check.c
 */
#include <hip/hip_runtime_api.h>
#include <stddef.h>

#include "hip_constants.h"
#include "hip_functions.h"

#define X(name, value, sentence) _Static_assert(name == (value), #name);
HIP_ERRORS(X)
#undef X

#define X(name, value) _Static_assert(name == (value), #name);
HIP_MEMCPY_KINDS(X)
HIP_DEVICE_ATTRIBUTES(X)
#if HIP_VERSION_MAJOR > 5 || HIP_VERSION_MINOR >= 7
HIP_DEVICE_ATTRIBUTES_SINCE_5_7(X)
#endif
#undef X

#define SAME(ours, theirs) _Static_assert((unsigned)(ours) == (unsigned)(theirs), #theirs)
SAME(FLAG_HOST_PORTABLE, hipHostMallocPortable);
SAME(FLAG_HOST_MAPPED, hipHostMallocMapped);
SAME(FLAG_HOST_WRITE_COMBINED, hipHostMallocWriteCombined);
SAME(FLAG_HOST_NUMA_USER, hipHostMallocNumaUser);
SAME(FLAG_HOST_COHERENT, hipHostMallocCoherent);
SAME(FLAG_HOST_NON_COHERENT, hipHostMallocNonCoherent);
SAME(FLAG_REGISTER_PORTABLE, hipHostRegisterPortable);
SAME(FLAG_REGISTER_MAPPED, hipHostRegisterMapped);
SAME(FLAG_REGISTER_COARSE_GRAINED, hipExtHostRegisterCoarseGrained);
SAME(FLAG_STREAM_NON_BLOCKING, hipStreamNonBlocking);
SAME(FLAG_EVENT_BLOCKING_SYNC, hipEventBlockingSync);
SAME(FLAG_EVENT_DISABLE_TIMING, hipEventDisableTiming);
SAME(FLAG_EVENT_INTERPROCESS, hipEventInterprocess);
SAME(FLAG_EVENT_RELEASE_TO_DEVICE, hipEventReleaseToDevice);
SAME(FLAG_EVENT_RELEASE_TO_SYSTEM, hipEventReleaseToSystem);
SAME(hipIpcMemLazyEnablePeerAccess, HIP_VERSION_MAJOR >= 6 ? 1 : 0);

_Static_assert(sizeof(hipError_t) == 4 && sizeof(hipMemcpyKind) == 4, "enums are ints");
_Static_assert(sizeof(hipIpcMemHandle_t) == 64, "hipIpcMemHandle_t");
_Static_assert(sizeof(hipPointerAttribute_t) == 32, "hipPointerAttribute_t");
_Static_assert(offsetof(hipPointerAttribute_t, device) == 4, "device");
_Static_assert(offsetof(hipPointerAttribute_t, devicePointer) == 8, "devicePointer");
_Static_assert(offsetof(hipPointerAttribute_t, hostPointer) == 16, "hostPointer");
_Static_assert(offsetof(hipPointerAttribute_t, isManaged) == 24, "isManaged");
_Static_assert(offsetof(hipPointerAttribute_t, allocationFlags) == 28, "allocationFlags");
