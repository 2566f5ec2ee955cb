// Faults of the machine, for a process that is started with this library in LD_PRELOAD: files that cannot be synced or written, and
// a clock that jumps. FAULT_CONTROL names a file of three 64-bit numbers, which the test changes while the process runs: the errno of
// fsync and fdatasync, the errno of writes (0: none), and seconds that are added to the clock of the day. Only files below
// FAULT_FOLDER are concerned. The monotonic clock never jumps, as on a real machine.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

struct control {
  int64_t sync_errno;
  int64_t write_errno;
  int64_t clock_offset_s;
};

static const struct control nothing;
static const volatile struct control* control = &nothing;
static char folder[4096];

__attribute__((constructor)) static void begin(void) {
  const char* path = getenv("FAULT_CONTROL");
  const char* below = getenv("FAULT_FOLDER");
  if (path == NULL || below == NULL || strlen(below) >= sizeof folder) return;
  const int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return;
  void* mapped = mmap(NULL, sizeof(struct control), PROT_READ, MAP_SHARED, file, 0);
  close(file);
  if (mapped == MAP_FAILED) return;
  strcpy(folder, below);
  control = mapped;
}

static int concerns(int file) {
  char link[64];
  char name[4096];
  snprintf(link, sizeof link, "/proc/self/fd/%d", file);
  const ssize_t length = readlink(link, name, sizeof name);
  const size_t wanted = strlen(folder);
  return length > 0 && (size_t)length > wanted && memcmp(name, folder, wanted) == 0;
}

// True, with errno set, when the call is to fail.
static int fails(int64_t error, int file) {
  if (error == 0 || !concerns(file)) return 0;
  errno = (int)error;
  return 1;
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

int fsync(int file) {
  if (fails(control->sync_errno, file)) return -1;
  return REAL(fsync)(file);
}

int fdatasync(int file) {
  if (fails(control->sync_errno, file)) return -1;
  return REAL(fdatasync)(file);
}

ssize_t write(int file, const void* bytes, size_t size) {
  if (fails(control->write_errno, file)) return -1;
  return REAL(write)(file, bytes, size);
}

ssize_t pwrite(int file, const void* bytes, size_t size, off_t at) {
  if (fails(control->write_errno, file)) return -1;
  return REAL(pwrite)(file, bytes, size, at);
}

ssize_t pwrite64(int file, const void* bytes, size_t size, off64_t at) {
  if (fails(control->write_errno, file)) return -1;
  return REAL(pwrite64)(file, bytes, size, at);
}

int clock_gettime(clockid_t clock, struct timespec* now) {
  const int result = REAL(clock_gettime)(clock, now);
  if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) now->tv_sec += control->clock_offset_s;
  return result;
}

int gettimeofday(struct timeval* restrict now, void* restrict zone) {
  const int result = REAL(gettimeofday)(now, zone);
  if (result == 0) now->tv_sec += control->clock_offset_s;
  return result;
}

time_t time(time_t* result) {
  struct timespec now;
  if (clock_gettime(CLOCK_REALTIME, &now) != 0) return (time_t)-1;
  if (result != NULL) *result = now.tv_sec;
  return now.tv_sec;
}
