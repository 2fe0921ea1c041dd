// What libcublas.so.12 and libcudnn.so.9 of the software device ask of its libcuda.so.1: memory that is checked, and work that
// is ordered on a stream and captured into graphs as kernels are. C, since it crosses shared libraries.
#pragma once
#include <cstddef>
#include <cstdint>

extern "C" {

/// The host's copy of a device range, checked when the work runs: `written` bytes must have been written before (a finding
/// otherwise), and a range that is to be written is marked so. Null, with a finding, where the range is in no allocation.
/// To be called from inside work that runs on a stream.
const void* softcudaRead(std::uint64_t address, std::size_t bytes);
void* softcudaWrite(std::uint64_t address, std::size_t bytes, int alsoRead);

/// The same for a range of rows: `rows` runs of `rowBytes`, `strideBytes` apart (matrices with a leading dimension).
const void* softcudaReadRows(std::uint64_t address, std::size_t rows, std::size_t rowBytes, std::size_t strideBytes);
void* softcudaWriteRows(std::uint64_t address, std::size_t rows, std::size_t rowBytes, std::size_t strideBytes, int alsoRead);

/// Puts work on a stream (0 is the default stream), or into the graph that the stream captures. `arguments` is copied.
/// It counts as one launch of a kernel called `name`, with so many flops and so many bytes read and written.
/// Returns a CUresult.
int softcudaEnqueue(void* stream, const char* name, void (*work)(const void* arguments), const void* arguments, std::size_t bytes,
                    double flops, double bytesRead, double bytesWritten);

/// What cuMemAlloc would say before it looks for memory: a CUresult, not 0 without a context and in a capture that forbids it,
/// which it breaks. For calls that allocate on a GPU and here do not.
int softcudaMayAllocate(void);

/// The configured device: 80, 86, 89 or 90.
int softcudaSm(void);

/// Takes the next scheduled failure of a function (SOFTCUDA_FAIL); 0 where none is due. Each exported function calls it first.
int softcudaFailure(const char* function);
/// Counts a call of an exported function, for softcudaCounters.
void softcudaCount(const char* function);

/// Runs parallel work over [0, count) on the device's workers; blocks until done.
void softcudaParallel(void (*body)(void* context, std::size_t index), void* context, std::size_t count);
}
