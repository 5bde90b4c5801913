/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Prototypes of the functions that the fake exports. They are declared after AMD's own header where
 * that is present (abi_check.c), so that the compiler refuses a signature that differs.
 */
#ifndef FAKEHIP_HIP_FUNCTIONS_H
#define FAKEHIP_HIP_FUNCTIONS_H

hipError_t hipInit(unsigned int flags);
hipError_t hipRuntimeGetVersion(int *version);
hipError_t hipDriverGetVersion(int *version);
hipError_t hipGetDeviceCount(int *count);
hipError_t hipSetDevice(int device);
hipError_t hipGetDevice(int *device);
hipError_t hipDeviceGetName(char *name, int len, hipDevice_t device);
hipError_t hipDeviceGetPCIBusId(char *bus_id, int len, int device);
hipError_t hipDeviceGetAttribute(int *value, hipDeviceAttribute_t attribute, int device);
hipError_t hipDeviceTotalMem(size_t *bytes, hipDevice_t device);
hipError_t hipMemGetInfo(size_t *free_bytes, size_t *total_bytes);
hipError_t hipDeviceSynchronize(void);
const char *hipGetErrorName(hipError_t code);
const char *hipGetErrorString(hipError_t code);
hipError_t hipGetLastError(void);
hipError_t hipPeekAtLastError(void);

hipError_t hipHostMalloc(void **address, size_t size, unsigned int flags);
hipError_t hipHostAlloc(void **address, size_t size, unsigned int flags);
hipError_t hipMallocHost(void **address, size_t size);
hipError_t hipHostFree(void *address);
hipError_t hipFreeHost(void *address);
hipError_t hipHostRegister(void *address, size_t size, unsigned int flags);
hipError_t hipHostUnregister(void *address);
hipError_t hipHostGetDevicePointer(void **device_address, void *address, unsigned int flags);
hipError_t hipHostGetFlags(unsigned int *flags, void *address);
hipError_t hipMalloc(void **address, size_t size);
hipError_t hipFree(void *address);
hipError_t hipPointerGetAttributes(hipPointerAttribute_t *attributes, const void *address);
hipError_t hipIpcGetMemHandle(hipIpcMemHandle_t *handle, void *address);
hipError_t hipIpcOpenMemHandle(void **address, hipIpcMemHandle_t handle, unsigned int flags);
hipError_t hipIpcCloseMemHandle(void *address);

hipError_t hipMemcpy(void *dst, const void *src, size_t size, hipMemcpyKind kind);
hipError_t hipMemcpyAsync(
    void *dst, const void *src, size_t size, hipMemcpyKind kind, hipStream_t stream);
hipError_t hipMemcpy2DAsync(void *dst, size_t dpitch, const void *src, size_t spitch, size_t width,
    size_t height, hipMemcpyKind kind, hipStream_t stream);
hipError_t hipMemsetAsync(void *dst, int value, size_t size, hipStream_t stream);

hipError_t hipStreamCreateWithFlags(hipStream_t *stream, unsigned int flags);
hipError_t hipStreamCreateWithPriority(hipStream_t *stream, unsigned int flags, int priority);
hipError_t hipStreamDestroy(hipStream_t stream);
hipError_t hipStreamSynchronize(hipStream_t stream);
hipError_t hipStreamQuery(hipStream_t stream);
hipError_t hipStreamWaitEvent(hipStream_t stream, hipEvent_t event, unsigned int flags);
hipError_t hipLaunchHostFunc(hipStream_t stream, hipHostFn_t function, void *argument);

hipError_t hipEventCreateWithFlags(hipEvent_t *event, unsigned int flags);
hipError_t hipEventRecord(hipEvent_t event, hipStream_t stream);
hipError_t hipEventSynchronize(hipEvent_t event);
hipError_t hipEventQuery(hipEvent_t event);
hipError_t hipEventElapsedTime(float *milliseconds, hipEvent_t start, hipEvent_t stop);
hipError_t hipEventDestroy(hipEvent_t event);

#endif
