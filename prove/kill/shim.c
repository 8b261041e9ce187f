/*
 * Counts the file operations of a process under one folder and makes one of them end badly.
 *
 * Preloaded before libc. The program under test knows nothing of it; the proof around it speaks to it by opening
 * paths that do not exist:
 *
 *   /shim/fork/MODE/AT  forks. In the child the open fails, and MODE happens at file operation AT: `none`; `kill`
 *                       (SIGKILL before it); `torn` (half of a write, then SIGKILL); `full` (from there on no space,
 *                       the first write comes half through); `broken` (EIO once). The parent waits for the child and
 *                       gets a file that says how it ended, how many operations it made and of what kinds.
 *   /shim/exit/CODE     ends the child at once.
 *
 * Forking a process that has loaded everything makes a case cost milliseconds; each is a process of its own and its
 * SIGKILL a real one. SHIM_ROOT is the folder whose operations count.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#define MOST 65536
enum mode { NONE, KILL, TORN, FULL, BROKEN };
static const char *const MODES[] = {"none", "kill", "torn", "full", "broken"};

/* Shared with the children, so that the parent sees how far one came. */
struct shared {
  long count;
  char kinds[MOST];
};
static struct shared *shared;
static enum mode mode = NONE;
static long at = 0;
static int is_armed = 0; /* only forked children count */

static const char *root(void) {
  static const char *path;
  if (path == NULL) path = getenv("SHIM_ROOT");
  return path == NULL ? "/nowhere" : path;
}

static int is_ours(const char *path) {
  return is_armed && path != NULL && strncmp(path, root(), strlen(root())) == 0;
}

static int is_our_file(int fd) {
  if (!is_armed || fd < 3) return 0;
  char link[64], path[PATH_MAX];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length < 0) return 0;
  path[length] = 0;
  return is_ours(path);
}

static void die(void) {
  kill(getpid(), SIGKILL);
  for (;;) pause();
}

/* Counts an operation; nonzero is the error it must end with. Writes are cut by their own callers. */
static int count(char kind, int takes_space) {
  long number = __atomic_add_fetch(&shared->count, 1, __ATOMIC_SEQ_CST);
  if (number < MOST) shared->kinds[number - 1] = kind;
  if (number == at && mode == KILL) die();
  if (number == at && mode == BROKEN) return EIO;
  if (number >= at && mode == FULL && takes_space && (kind != 'w' || number > at)) return ENOSPC;
  return 0;
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

/* ---- the door ----------------------------------------------------------------------------------------------- */

static int report(pid_t child) {
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  int file = memfd_create("shim", 0);
  dprintf(file, "%s %d %ld ", WIFSIGNALED(status) ? "signal" : "exit",
          WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status), shared->count);
  long length = shared->count < MOST ? shared->count : MOST;
  if (REAL(write)(file, shared->kinds, length) != length) abort();
  lseek(file, 0, SEEK_SET);
  return file;
}

static int door(const char *path) {
  char name[16];
  long number;
  if (sscanf(path, "/shim/exit/%ld", &number) == 1) _exit((int)number);
  if (sscanf(path, "/shim/fork/%15[a-z]/%ld", name, &number) != 2) {
    errno = EINVAL;
    return -1;
  }
  if (shared == NULL)
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  memset(shared, 0, sizeof *shared);
  pid_t child = fork();
  if (child > 0) return report(child);
  if (child == 0) {
    for (mode = NONE; strcmp(MODES[mode], name) != 0; mode++)
      if (mode == BROKEN) abort();
    at = number;
    is_armed = 1;
    errno = ENOENT;
  }
  return -1;
}

/* V8 keeps its heap from forked processes; here they are to go on with it. */
int madvise(void *start, size_t bytes, int advice) {
  return advice == MADV_DONTFORK ? 0 : REAL(madvise)(start, bytes, advice);
}

/* ---- operations --------------------------------------------------------------------------------------------- */

#define FAIL_IF(error)      \
  do {                      \
    int failure = (error);  \
    if (failure != 0) {     \
      errno = failure;      \
      return -1;            \
    }                       \
  } while (0)

static int opened(const char *path, int flags, mode_t rights, int (*real)(const char *, int, ...)) {
  if (strncmp(path, "/shim/", 6) == 0) return door(path);
  if (is_ours(path)) FAIL_IF(count(flags & O_CREAT ? 'c' : 'o', (flags & O_CREAT) != 0));
  return real(path, flags, rights);
}

int open(const char *path, int flags, ...) {
  va_list list;
  va_start(list, flags);
  mode_t rights = flags & (O_CREAT | O_TMPFILE) ? va_arg(list, mode_t) : 0;
  va_end(list);
  return opened(path, flags, rights, REAL(open));
}

int open64(const char *path, int flags, ...) {
  va_list list;
  va_start(list, flags);
  mode_t rights = flags & (O_CREAT | O_TMPFILE) ? va_arg(list, mode_t) : 0;
  va_end(list);
  return opened(path, flags, rights, REAL(open64));
}

/* Half of a write where it is torn, or where the space ends in it. */
static size_t cut(size_t bytes) {
  int is_here = shared->count == at && (mode == TORN || mode == FULL);
  return is_here && bytes > 1 ? bytes / 2 : bytes;
}

ssize_t write(int fd, const void *data, size_t bytes) {
  if (!is_our_file(fd)) return REAL(write)(fd, data, bytes);
  FAIL_IF(count('w', 1));
  ssize_t done = REAL(write)(fd, data, cut(bytes));
  if (shared->count == at && mode == TORN) die();
  return done;
}

ssize_t pwrite64(int fd, const void *data, size_t bytes, off64_t offset) {
  if (!is_our_file(fd)) return REAL(pwrite64)(fd, data, bytes, offset);
  FAIL_IF(count('w', 1));
  ssize_t done = REAL(pwrite64)(fd, data, cut(bytes), offset);
  if (shared->count == at && mode == TORN) die();
  return done;
}

int fsync(int fd) {
  if (is_our_file(fd)) FAIL_IF(count('s', 0));
  return REAL(fsync)(fd);
}

int fdatasync(int fd) {
  if (is_our_file(fd)) FAIL_IF(count('s', 0));
  return REAL(fdatasync)(fd);
}

int ftruncate64(int fd, off64_t length) {
  if (is_our_file(fd)) FAIL_IF(count('t', 0));
  return REAL(ftruncate64)(fd, length);
}

int ftruncate(int fd, off_t length) {
  if (is_our_file(fd)) FAIL_IF(count('t', 0));
  return REAL(ftruncate)(fd, length);
}

int rename(const char *from, const char *to) {
  if (is_ours(from)) FAIL_IF(count('r', 0));
  return REAL(rename)(from, to);
}

int mkdir(const char *path, mode_t rights) {
  if (is_ours(path)) FAIL_IF(count('m', 1));
  return REAL(mkdir)(path, rights);
}

int unlink(const char *path) {
  if (is_ours(path)) FAIL_IF(count('u', 0));
  return REAL(unlink)(path);
}

int rmdir(const char *path) {
  if (is_ours(path)) FAIL_IF(count('u', 0));
  return REAL(rmdir)(path);
}
