/* Steps the clock under one program, for tests (LD_PRELOAD): the wall clock is that of the system plus the seconds
   that stand in the file CLOCK_STEP_FILE as an int64_t, which a test may change at any time. The file is mapped
   before main() runs, so that a program that confines itself later follows as well. The monotonic clock goes its
   way, as it does when an administrator or NTP steps the time. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static volatile const int64_t* step;

__attribute__((constructor)) static void map_step(void) {
  const char* path = getenv("CLOCK_STEP_FILE");
  const int fd = path != NULL ? open(path, O_RDONLY | O_CLOEXEC) : -1;
  if (fd < 0) return;
  void* page = mmap(NULL, sizeof *step, PROT_READ, MAP_SHARED, fd, 0);
  if (page != MAP_FAILED) step = page;
  close(fd);
}

static int64_t seconds(void) { return step != NULL ? *step : 0; }

int clock_gettime(clockid_t clock, struct timespec* now) {
  const long failed = syscall(SYS_clock_gettime, clock, now);
  if (failed == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) now->tv_sec += seconds();
  return (int)failed;
}

int gettimeofday(struct timeval* restrict now, void* restrict zone) {
  struct timespec precise;
  (void)zone;
  if (clock_gettime(CLOCK_REALTIME, &precise) != 0) return -1;
  now->tv_sec = precise.tv_sec;
  now->tv_usec = precise.tv_nsec / 1000;
  return 0;
}

time_t time(time_t* result) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  if (result != NULL) *result = now.tv_sec;
  return now.tv_sec;
}

/* A moment of the stepped clock, for the kernel's. */
int pthread_cond_timedwait(pthread_cond_t* restrict condition, pthread_mutex_t* restrict mutex,
                           const struct timespec* restrict until) {
  static int (*next)(pthread_cond_t*, pthread_mutex_t*, const struct timespec*);
  struct timespec there = *until;
  if (next == NULL)
    next = (int (*)(pthread_cond_t*, pthread_mutex_t*, const struct timespec*))dlvsym(
        RTLD_NEXT, "pthread_cond_timedwait", "GLIBC_2.3.2");
  there.tv_sec -= seconds();
  return next(condition, mutex, &there);
}
