/* What the software CUDA device tells beyond CUDA's own interface; exported by its libcuda.so.1. A program finds out that it runs on
 * the software device by looking these symbols up. Texts are UTF-8; a function that writes text returns the bytes it needs, the
 * terminating zero included, and writes nothing where the buffer is smaller. */
#ifndef SOFTCUDA_H
#define SOFTCUDA_H
#include <stddef.h>
#ifdef __cplusplus
extern "C" {
#endif

/* Raised when tests come to need something new of the device: those of a newer FastNN can tell that they run on an older one. */
int softcudaVersion(void);

/* Sets what the environment variable of that name would have set at start; takes effect at once.
 * SOFTCUDA_SM (80, 86, 89, 90), SOFTCUDA_MEMORY (bytes, or with suffix M or G), SOFTCUDA_SMS (multiprocessors), SOFTCUDA_SEED,
 * SOFTCUDA_WORKERS, SOFTCUDA_CHECKS (0 or 1), SOFTCUDA_RACES (0 or 1: races in global memory, on one worker), SOFTCUDA_FOOTPRINT (0 or 1), SOFTCUDA_DRIVER (e.g. 12040, the version that cuDriverGetVersion
 * gives), SOFTCUDA_DEVICES (0 or 1), SOFTCUDA_LEAKS (0 or 1: whether what is alive when a context or the process ends
 * is a finding), SOFTCUDA_FAIL (function:n:code[,...]: the n-th call from now on returns that code).
 * After a kernel's fault every call with a context gives its code until the process ends, for CUDA promises nothing more to it;
 * SOFTCUDA_RESTART=1, here only, stands for the new process, so that a test of faults need not be one.
 * Returns 0, or 1 for an unknown name or value. SM, SMS, DEVICES and MEMORY need that nothing is allocated. */
int softcudaSet(const char* name, const char* value);

/* 1 where SOFTCUDA_DISGUISE=1: a program shall then behave as on NVIDIA's driver, whatever else it could do with these symbols. Its tests
 * still read the findings, and thereby check what only real devices reach. */
int softcudaDisguised(void);

/* Findings so far: their number, and their descriptions, one a line. */
size_t softcudaFindings(void);
size_t softcudaFindingText(char* buffer, size_t bytes);
void softcudaClearFindings(void);

/* Counts since the start or the last reset, as JSON:
 * { "kernels": [ { "name": ..., every member of machine.hpp's Counters in camelCase, "library": false } ],
 *   "calls": { "cuMemAlloc_v2": 3, ... every function of the driver, cuBLAS and cuDNN that was called },
 *   "copies": { "hostToDevice": {"count":, "bytes":}, "deviceToHost": ..., "deviceToDevice": ..., "memset": ... },
 *   "graphLaunches":, "synchronisations":, "allocations":, "frees":, "liveAllocations":, "liveBytes":, "peakBytes":,
 *   "liveStreams":, "liveEvents":, "liveGraphs":, "liveModules":, "pinnedBlocks": }
 * cuBLAS and cuDNN work appears among the kernels with "library": true. */
size_t softcudaCounters(char* buffer, size_t bytes);
void softcudaResetCounters(void);

#ifdef __cplusplus
}
#endif
#endif
