/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Prints what AMD's header says of everything that io.lmcache4j.rocm binds: the value of each name in
 * binding_names.inc, which the test writes from the Java constants, and the size of each parameter of
 * each bound function. Compiling is half of the test: a signature that differs is an error.
 *
 *   cc -std=c11 -Werror -D__HIP_PLATFORM_AMD__ -I<directory of hip/> -I<directory of the .inc> binding_check.c
 */
#include <hip/hip_runtime_api.h>
#include <stdio.h>

/* Not evaluated, so nothing is linked; a pointer to any other type of function is refused. */
#define SAME(function, ...) (void)sizeof(((hipError_t(*)(__VA_ARGS__))0) == &function)

#define ONE(function, a) \
  SAME(function, a); \
  printf("%s %zu\n", #function, sizeof(a))
#define TWO(function, a, b) \
  SAME(function, a, b); \
  printf("%s %zu %zu\n", #function, sizeof(a), sizeof(b))
#define THREE(function, a, b, c) \
  SAME(function, a, b, c); \
  printf("%s %zu %zu %zu\n", #function, sizeof(a), sizeof(b), sizeof(c))

int main(void) {
#define NAME(name) printf("%s=%lld\n", #name, (long long)(int)(name));
#include "binding_names.inc"
  printf("sizeof(hipError_t)=%zu\n", sizeof(hipError_t));
  ONE(hipRuntimeGetVersion, int *);
  ONE(hipGetDeviceCount, int *);
  ONE(hipSetDevice, int);
  TWO(hipMemGetInfo, size_t *, size_t *);
  THREE(hipHostMalloc, void **, size_t, unsigned int);
  ONE(hipHostFree, void *);
  THREE(hipHostRegister, void *, size_t, unsigned int);
  ONE(hipHostUnregister, void *);
  TWO(hipMalloc, void **, size_t);
  ONE(hipFree, void *);
  SAME(hipMemcpyAsync, void *, const void *, size_t, hipMemcpyKind, hipStream_t);
  printf("hipMemcpyAsync 8 8 %zu %zu %zu\n", sizeof(size_t), sizeof(hipMemcpyKind), sizeof(hipStream_t));
  SAME(hipMemcpy2DAsync, void *, size_t, const void *, size_t, size_t, size_t, hipMemcpyKind, hipStream_t);
  printf("hipMemcpy2DAsync 8 8 8 8 8 8 %zu %zu\n", sizeof(hipMemcpyKind), sizeof(hipStream_t));
  TWO(hipStreamCreateWithFlags, hipStream_t *, unsigned int);
  ONE(hipStreamDestroy, hipStream_t);
  ONE(hipStreamSynchronize, hipStream_t);
  TWO(hipEventCreateWithFlags, hipEvent_t *, unsigned int);
  TWO(hipEventRecord, hipEvent_t, hipStream_t);
  ONE(hipEventSynchronize, hipEvent_t);
  ONE(hipEventDestroy, hipEvent_t);
  return 0;
}
