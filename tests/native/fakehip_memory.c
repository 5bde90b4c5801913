/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The fake's memory.
 *
 * Device memory is a memfd that this process maps twice: not at all accessible where the client's
 * pointer points to, so that a CPU which follows it dies, and readable at an address that only the
 * fake knows. Registered host memory has a second address for devices as well, because a client must
 * not take the two for the same.
 *
 * Address space that was given back stays reserved and inaccessible, with guard pages around it: an
 * address is never handed out twice, and whoever still uses one is found out.
 */
#define _GNU_SOURCE
#include "fakehip_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_GRAVES 4096
#define IPC_MAGIC UINT64_C(0x65766c636d6c4950)

static allocation *live;
static allocation *graves;
static int grave_count;

static size_t whole_pages(size_t size) { return (size + PAGE - 1) & ~(PAGE - 1); }

/* Takes address space for an allocation, with a guard page before and after. */
static bool reserve(allocation *memory) {
  memory->mapped = whole_pages(memory->size);
  memory->reserved_size = memory->mapped + 2 * PAGE;
  void *space = mmap(NULL, memory->reserved_size, PROT_NONE,
      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (space == MAP_FAILED) {
    return false;
  }
  memory->reserved = space;
  return true;
}

static char *first_byte(const allocation *memory) { return memory->reserved + PAGE; }

static bool within(const char *address, const char *start, size_t size) {
  return start != NULL && address >= start && address < start + size;
}

allocation *find_locked(const void *address, size_t *offset) {
  for (allocation *memory = live; memory != NULL; memory = memory->next) {
    if (memory->dying) {
      continue;
    }
    if (within(address, memory->address, memory->size)) {
      *offset = (size_t)((const char *)address - memory->address);
      return memory;
    }
    if (within(address, memory->device_view, memory->size)) {
      *offset = (size_t)((const char *)address - memory->device_view);
      return memory;
    }
  }
  return NULL;
}

bool is_dead_locked(const void *address) {
  size_t offset;
  if (find_locked(address, &offset) != NULL) {
    return false;
  }
  for (const allocation *memory = live; memory != NULL; memory = memory->next) {
    if (within(address, memory->reserved, memory->reserved_size)) {
      return true;
    }
  }
  for (const allocation *memory = graves; memory != NULL; memory = memory->next) {
    if (within(address, memory->reserved, memory->reserved_size)) {
      return true;
    }
  }
  return false;
}

bool is_device_memory(const allocation *memory) {
  return memory != NULL && (memory->kind == MEMORY_DEVICE || memory->kind == MEMORY_IPC);
}

bool is_mapped(const void *address, size_t size) {
  unsigned char resident[1024];
  char *page = (char *)((uintptr_t)address & ~(uintptr_t)(PAGE - 1));
  size_t left = whole_pages(size + (size_t)((const char *)address - page));
  while (left > 0) {
    size_t part = left < sizeof resident * PAGE ? left : sizeof resident * PAGE;
    if (mincore(page, part, resident) != 0) {
      return false;
    }
    page += part;
    left -= part;
  }
  return true;
}

/* Whether the process may read and write the whole range. */
static bool is_accessible(const void *address, size_t size) {
  FILE *maps = fopen("/proc/self/maps", "re");
  if (maps == NULL) {
    return is_mapped(address, size);
  }
  uintptr_t wanted = (uintptr_t)address;
  const uintptr_t end = wanted + size;
  char line[512];
  while (wanted < end && fgets(line, sizeof line, maps) != NULL) {
    unsigned long from, to;
    char access[5];
    if (sscanf(line, "%lx-%lx %4s", &from, &to, access) == 3 && from <= wanted && wanted < to
        && access[0] == 'r' && access[1] == 'w') {
      wanted = to;
    }
  }
  fclose(maps);
  return wanted >= end;
}

static bool overlaps_locked(const char *address, size_t size) {
  for (const allocation *memory = live; memory != NULL; memory = memory->next) {
    if (address < memory->address + memory->size && memory->address < address + size) {
      return true;
    }
  }
  return false;
}

static allocation *new_allocation(enum memory_kind kind, size_t size, unsigned flags) {
  allocation *memory = calloc(1, sizeof *memory);
  if (memory == NULL) {
    abort();
  }
  memory->kind = kind;
  memory->size = size;
  memory->flags = flags;
  memory->device = current_device;
  memory->fd = -1;
  return memory;
}

static void add_locked(allocation *memory) {
  memory->next = live;
  live = memory;
}

/* Takes part of the cap on pinned memory, if that is left. */
static bool take_host_bytes_locked(size_t size) {
  uint64_t used = (uint64_t)count.host_bytes;
  if (size > (size_t)INT64_MAX || (config.host_bytes != 0
      && (used > config.host_bytes || size > config.host_bytes - used))) {
    return false;
  }
  count.host_bytes += (int64_t)size;
  if (count.host_bytes > count.peak_host_bytes) {
    count.peak_host_bytes = count.host_bytes;
  }
  return true;
}

static hipError_t new_host_locked(void **address, size_t size, unsigned flags) {
  *address = NULL;
  if (size == 0) {
    return hipSuccess;
  }
  if (!take_host_bytes_locked(size)) {
    return hipErrorOutOfMemory;
  }
  allocation *memory = new_allocation(MEMORY_HOST, size, flags);
  pthread_mutex_unlock(&fake_lock);
  bool done = reserve(memory)
      && mprotect(first_byte(memory), memory->mapped, PROT_READ | PROT_WRITE) == 0;
  if (done) {
    memory->address = memory->device_view = memory->bytes = first_byte(memory);
    memset(memory->bytes, POISON, memory->mapped);
  }
  pthread_mutex_lock(&fake_lock);
  if (!done) {
    count.host_bytes -= (int64_t)size;
    free(memory);
    return hipErrorOutOfMemory;
  }
  add_locked(memory);
  count.live_host++;
  *address = memory->address;
  return hipSuccess;
}

/* Maps the bytes of a memfd where only the fake finds them, and reserves what the client sees. */
static bool map_device(allocation *memory) {
  if (!reserve(memory)) {
    return false;
  }
  void *bytes = mmap(NULL, memory->mapped, PROT_READ | PROT_WRITE, MAP_SHARED, memory->fd, 0);
  if (bytes == MAP_FAILED) {
    munmap(memory->reserved, memory->reserved_size);
    return false;
  }
  memory->bytes = bytes;
  memory->address = memory->device_view = first_byte(memory);
  return true;
}

static hipError_t new_device_locked(void **address, size_t size, unsigned flags) {
  *address = NULL;
  if (size == 0) {
    return hipSuccess;
  }
  device *owner = &devices[current_device];
  if (owner->used_bytes > config.device_bytes
      || size > config.device_bytes - owner->used_bytes) {
    return hipErrorOutOfMemory;
  }
  owner->used_bytes += size;
  allocation *memory = new_allocation(MEMORY_DEVICE, size, flags);
  pthread_mutex_unlock(&fake_lock);
  memory->fd = memfd_create("fakehip-device", MFD_CLOEXEC);
  bool done = memory->fd >= 0 && ftruncate(memory->fd, (off_t)whole_pages(size)) == 0
      && map_device(memory);
  if (done) {
    memset(memory->bytes, POISON, memory->mapped);
  }
  pthread_mutex_lock(&fake_lock);
  if (!done) {
    owner->used_bytes -= size;
    if (memory->fd >= 0) {
      close(memory->fd);
    }
    free(memory);
    return hipErrorOutOfMemory;
  }
  add_locked(memory);
  count.live_device++;
  *address = memory->address;
  return hipSuccess;
}

/* Leaves the address space reserved; the oldest grave makes room for the newest. */
static void bury_locked(allocation *memory) {
  memory->next = graves;
  graves = memory;
  if (++grave_count > MAX_GRAVES) {
    allocation *before = graves;
    while (before->next->next != NULL) {
      before = before->next;
    }
    munmap(before->next->reserved, before->next->reserved_size);
    free(before->next);
    before->next = NULL;
    grave_count--;
  }
}

static void check_tail_locked(const allocation *memory) {
  for (size_t i = memory->size; i < memory->mapped; i++) {
    if ((unsigned char)memory->bytes[i] != POISON) {
      violation_locked("byte %zu behind the %zu bytes of pinned memory at %p was written",
          i - memory->size, memory->size, (void *)memory->address);
      return;
    }
  }
}

/*
 * Takes an allocation out of the world. New calls find it no more; what its own device has queued
 * is waited for. Another device that still uses it would fault, and the real runtime aborts then.
 */
static void remove_locked(allocation *memory) {
  memory->dying = true;
  drain_device_locked(memory->device, last_operation_locked());
  if (memory->uses > 0) {
    gpu_fault(memory->address, "freed while another device uses it");
  }
  allocation **link = &live;
  while (*link != memory) {
    link = &(*link)->next;
  }
  *link = memory->next;
  switch (memory->kind) {
    case MEMORY_HOST:
      check_tail_locked(memory);
      count.live_host--;
      count.host_bytes -= (int64_t)memory->size;
      if (mmap(memory->address, memory->mapped, PROT_NONE,
              MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0) == MAP_FAILED) {
        abort();
      }
      break;
    case MEMORY_REGISTERED:
      count.live_registered--;
      count.host_bytes -= (int64_t)memory->size;
      if (!is_mapped(memory->address, memory->size)) {
        violation_locked("the %zu bytes at %p were unmapped while they were registered",
            memory->size, (void *)memory->address);
      }
      break;
    case MEMORY_DEVICE:
      count.live_device--;
      devices[memory->device].used_bytes -= memory->size;
      memset(memory->bytes, FREED, memory->mapped);
      munmap(memory->bytes, memory->mapped);
      close(memory->fd);
      break;
    case MEMORY_IPC:
      count.live_ipc--;
      munmap(memory->bytes, memory->mapped);
      close(memory->fd);
      break;
  }
  bury_locked(memory);
}

/* Gives back what starts at an address and is of a kind. */
static hipError_t give_back_locked(void *address, enum memory_kind kind, const char *call) {
  if (address == NULL) {
    return hipSuccess;
  }
  size_t offset;
  allocation *memory = find_locked(address, &offset);
  if (memory == NULL || memory->address != address || memory->kind != kind) {
    if (memory != NULL || is_dead_locked(address)) {
      violation_locked("%s of %p: %s", call, address,
          memory == NULL ? "it was freed before"
              : memory->kind != kind ? "it is memory of another kind"
                                     : "it is not the start of an allocation");
    }
    return hipErrorInvalidValue;
  }
  int ordinal = memory->device;
  remove_locked(memory);
  return devices[ordinal].lost;
}

/* Host memory. */

static hipError_t host_malloc_locked(void **address, size_t size, unsigned flags) {
  unsigned known = FLAG_HOST_PORTABLE | FLAG_HOST_MAPPED | FLAG_HOST_WRITE_COMBINED
      | FLAG_HOST_NUMA_USER | FLAG_HOST_COHERENT | FLAG_HOST_NON_COHERENT;
  if (major_version() >= 7) {
    known |= FLAG_HOST_UNCACHED;
  }
  const unsigned both = FLAG_HOST_COHERENT | FLAG_HOST_NON_COHERENT;
  if (address == NULL || (flags & ~known) != 0 || (flags & both) == both) {
    return hipErrorInvalidValue;
  }
  return new_host_locked(address, size, flags);
}

EXPORT hipError_t hipHostMalloc(void **address, size_t size, unsigned int flags) {
  BEGIN(NEEDS_DEVICE);
  END(host_malloc_locked(address, size, flags));
}

EXPORT hipError_t hipMallocHost(void **address, size_t size) {
  BEGIN(NEEDS_DEVICE);
  END(host_malloc_locked(address, size, FLAG_HOST_NON_COHERENT));
}

/* Takes its flags for others up to 6.3, so that flags 0 give memory of the device. */
EXPORT hipError_t hipHostAlloc(void **address, size_t size, unsigned int flags) {
  BEGIN(NEEDS_DEVICE);
  if (address == NULL || flags > 7) {
    END(hipErrorInvalidValue);
  }
  if (config.version < 60400000 && flags == 0) {
    END(new_device_locked(address, size, flags));
  }
  END(host_malloc_locked(address, size, flags));
}

EXPORT hipError_t hipHostFree(void *address) {
  BEGIN(NEEDS_RUNTIME);
  END(give_back_locked(address, MEMORY_HOST, __func__));
}

EXPORT hipError_t hipFreeHost(void *address) {
  BEGIN(NEEDS_RUNTIME);
  END(give_back_locked(address, MEMORY_HOST, __func__));
}

EXPORT hipError_t hipHostRegister(void *address, size_t size, unsigned int flags) {
  BEGIN(NEEDS_DEVICE);
  const unsigned known_to_7 = FLAG_REGISTER_PORTABLE | FLAG_REGISTER_MAPPED
      | FLAG_REGISTER_COARSE_GRAINED | FLAG_REGISTER_UNCACHED;
  bool flags_known = major_version() >= 7 ? (flags & ~known_to_7) == 0 : flags <= 15;
  if (address == NULL || size == 0 || size > SIZE_MAX - (size_t)address || !flags_known) {
    END(hipErrorInvalidValue);
  }
  if (!is_accessible(address, size)) {
    END(hipErrorInvalidValue);
  }
  if (overlaps_locked(address, size)) {
    END(hipErrorHostMemoryAlreadyRegistered);
  }
  if (!take_host_bytes_locked(size)) {
    END(hipErrorOutOfMemory);
  }
  allocation *memory = new_allocation(MEMORY_REGISTERED, size, flags);
  if (!reserve(memory)) {
    count.host_bytes -= (int64_t)size;
    free(memory);
    END(hipErrorOutOfMemory);
  }
  memory->address = memory->bytes = address;
  memory->device_view = first_byte(memory);
  add_locked(memory);
  count.live_registered++;
  END(hipSuccess);
}

/* As clr, it does not look at the kind: what hipHostMalloc gave is dropped as well. */
EXPORT hipError_t hipHostUnregister(void *address) {
  BEGIN(NEEDS_RUNTIME);
  if (address == NULL) {
    END(hipErrorInvalidValue);
  }
  size_t offset;
  allocation *memory = find_locked(address, &offset);
  if (memory == NULL || memory->address != address || is_device_memory(memory)) {
    END(hipErrorHostMemoryNotRegistered);
  }
  if (memory->kind == MEMORY_HOST) {
    violation_locked("hipHostUnregister of %p, which hipHostMalloc gave, drops it", address);
  }
  int ordinal = memory->device;
  remove_locked(memory);
  END(devices[ordinal].lost);
}

EXPORT hipError_t hipHostGetDevicePointer(
    void **device_address, void *address, unsigned int flags) {
  BEGIN(NEEDS_DEVICE);
  size_t offset;
  if (device_address == NULL || flags != 0) {
    END(hipErrorInvalidValue);
  }
  const allocation *memory = find_locked(address, &offset);
  if (memory == NULL) {
    END(hipErrorInvalidValue);
  }
  *device_address = memory->device_view + offset;
  END(hipSuccess);
}

EXPORT hipError_t hipHostGetFlags(unsigned int *flags, void *address) {
  BEGIN(NEEDS_DEVICE);
  size_t offset;
  const allocation *memory = find_locked(address, &offset);
  if (flags == NULL || memory == NULL || memory->kind != MEMORY_HOST) {
    END(hipErrorInvalidValue);
  }
  *flags = memory->flags;
  END(hipSuccess);
}

/* Device memory. */

EXPORT hipError_t hipMalloc(void **address, size_t size) {
  BEGIN(NEEDS_DEVICE);
  END(address == NULL ? hipErrorInvalidValue : new_device_locked(address, size, 0));
}

EXPORT hipError_t hipFree(void *address) {
  BEGIN(NEEDS_RUNTIME);
  END(give_back_locked(address, MEMORY_DEVICE, __func__));
}

/* hipMemoryType was renumbered with 6.0, which also has a number for unknown memory. */
EXPORT hipError_t hipPointerGetAttributes(hipPointerAttribute_t *attributes, const void *address) {
  BEGIN(NEEDS_DEVICE);
  if (attributes == NULL || (address == NULL && major_version() < 7)) {
    END(hipErrorInvalidValue);
  }
  const int one = major_version() >= 6 ? 1 : 0;
  size_t offset;
  const allocation *memory = find_locked(address, &offset);
  if (memory == NULL && major_version() < 6) {
    END(hipErrorInvalidValue);
  }
  memset(attributes, 0, sizeof *attributes);
  if (memory == NULL) {
    attributes->device = -2; /* hipInvalidDeviceId */
    END(hipSuccess);
  }
  bool on_device = is_device_memory(memory);
  attributes->type = one + (on_device ? 1 : 0);
  attributes->device = memory->device;
  attributes->devicePointer = memory->device_view + offset;
  attributes->hostPointer = on_device ? NULL : memory->address + offset;
  attributes->allocationFlags = memory->flags;
  END(hipSuccess);
}

/* Memory of other processes. */

/* What a handle holds; the first 32 bytes are the driver's, the rest is clr's. */
typedef struct ipc_handle {
  uint64_t magic;
  uint64_t inode;
  int32_t fd;
  char unused[12];
  size_t size;
  size_t offset;
  int32_t process;
  char reserved[12];
} ipc_handle;

_Static_assert(sizeof(ipc_handle) == sizeof(hipIpcMemHandle_t), "a handle has 64 bytes");

EXPORT hipError_t hipIpcGetMemHandle(hipIpcMemHandle_t *handle, void *address) {
  BEGIN(NEEDS_DEVICE);
  size_t offset;
  const allocation *memory = find_locked(address, &offset);
  struct stat file;
  if (handle == NULL || memory == NULL || memory->kind != MEMORY_DEVICE
      || fstat(memory->fd, &file) != 0) {
    END(hipErrorInvalidValue);
  }
  ipc_handle out = {.magic = IPC_MAGIC, .inode = file.st_ino, .fd = memory->fd,
      .size = memory->size, .offset = offset, .process = getpid()};
  memcpy(handle, &out, sizeof out);
  END(hipSuccess);
}

/* Opens the file of a handle in the process that made it, if it is still that file. */
static int open_exported(const ipc_handle *handle) {
  char path[64];
  struct stat file;
  snprintf(path, sizeof path, "/proc/%d/fd/%d", handle->process, handle->fd);
  int fd = open(path, O_RDWR | O_CLOEXEC);
  if (fd >= 0 && (fstat(fd, &file) != 0 || file.st_ino != handle->inode
      || (size_t)file.st_size != whole_pages(handle->size))) {
    close(fd);
    fd = -1;
  }
  return fd;
}

EXPORT hipError_t hipIpcOpenMemHandle(
    void **address, hipIpcMemHandle_t handle, unsigned int flags) {
  BEGIN(NEEDS_DEVICE);
  ipc_handle in;
  memcpy(&in, &handle, sizeof in);
  const unsigned lazy_peer_access = major_version() >= 6 ? 1 : 0;
  if (address == NULL || flags != lazy_peer_access || in.size == 0) {
    END(hipErrorInvalidValue);
  }
  if (in.process == getpid()) {
    END(hipErrorInvalidContext);
  }
  int fd = in.magic == IPC_MAGIC && in.offset < in.size ? open_exported(&in) : -1;
  if (fd < 0) {
    END(hipErrorInvalidDevicePointer);
  }
  allocation *memory = new_allocation(MEMORY_IPC, in.size, flags);
  memory->fd = fd;
  if (!map_device(memory)) {
    close(fd);
    free(memory);
    END(hipErrorInvalidDevicePointer);
  }
  add_locked(memory);
  count.live_ipc++;
  *address = memory->address + in.offset;
  END(hipSuccess);
}

EXPORT hipError_t hipIpcCloseMemHandle(void *address) {
  BEGIN(NEEDS_RUNTIME);
  size_t offset;
  if (address == NULL) {
    END(hipErrorInvalidValue);
  }
  allocation *memory = find_locked(address, &offset);
  if (memory == NULL || memory->kind != MEMORY_IPC) {
    END(config.version < 60400000 ? hipErrorInvalidValue : hipErrorInvalidHandle);
  }
  int ordinal = memory->device;
  remove_locked(memory);
  END(devices[ordinal].lost);
}

/* Behind the runtime's back. */

static char *device_bytes_locked(const void *address, size_t size) {
  size_t offset;
  const allocation *memory = find_locked(address, &offset);
  return is_device_memory(memory) && size <= memory->size - offset ? memory->bytes + offset : NULL;
}

EXPORT int fakehip_peek(void *out, const void *device_address, size_t size) {
  pthread_mutex_lock(&fake_lock);
  const char *bytes = device_bytes_locked(device_address, size);
  if (bytes != NULL) {
    memcpy(out, bytes, size);
  }
  pthread_mutex_unlock(&fake_lock);
  return bytes != NULL ? 0 : -1;
}

EXPORT int fakehip_poke(void *device_address, const void *in, size_t size) {
  pthread_mutex_lock(&fake_lock);
  char *bytes = device_bytes_locked(device_address, size);
  if (bytes != NULL) {
    memcpy(bytes, in, size);
  }
  pthread_mutex_unlock(&fake_lock);
  return bytes != NULL ? 0 : -1;
}

EXPORT int fakehip_device_of(const void *address) {
  pthread_mutex_lock(&fake_lock);
  size_t offset;
  const allocation *memory = find_locked(address, &offset);
  int ordinal = memory != NULL ? memory->device : -1;
  pthread_mutex_unlock(&fake_lock);
  return ordinal;
}
