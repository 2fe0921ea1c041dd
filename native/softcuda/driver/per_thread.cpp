// The entry points of programs compiled for per-thread default streams: there, stream 0 means the calling thread's own.
#include "api.hpp"

namespace {

CUstream own(CUstream stream) { return stream ? stream : PerThreadStream; }

}  // namespace

extern "C" {
CUresult cuLaunchKernel(CUfunction, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, CUstream, void**, void**);
CUresult cuLaunchCooperativeKernel(CUfunction, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, CUstream, void**);
CUresult cuLaunchHostFunc(CUstream, CUhostFn, void*);
CUresult cuMemAllocAsync(CUdeviceptr*, std::size_t, CUstream);
CUresult cuMemAllocFromPoolAsync(CUdeviceptr*, std::size_t, CUmemoryPool, CUstream);
CUresult cuMemFreeAsync(CUdeviceptr, CUstream);
CUresult cuMemcpyHtoDAsync_v2(CUdeviceptr, const void*, std::size_t, CUstream);
CUresult cuMemcpyDtoHAsync_v2(void*, CUdeviceptr, std::size_t, CUstream);
CUresult cuMemcpyDtoDAsync_v2(CUdeviceptr, CUdeviceptr, std::size_t, CUstream);
CUresult cuMemcpyAsync(CUdeviceptr, CUdeviceptr, std::size_t, CUstream);
CUresult cuMemsetD8Async(CUdeviceptr, unsigned char, std::size_t, CUstream);
CUresult cuMemsetD16Async(CUdeviceptr, unsigned short, std::size_t, CUstream);
CUresult cuMemsetD32Async(CUdeviceptr, unsigned, std::size_t, CUstream);
CUresult cuStreamSynchronize(CUstream);
CUresult cuStreamQuery(CUstream);
CUresult cuStreamWaitEvent(CUstream, CUevent, unsigned);
CUresult cuStreamBeginCapture_v2(CUstream, int);
CUresult cuStreamEndCapture(CUstream, CUgraph*);
CUresult cuStreamIsCapturing(CUstream, int*);
CUresult cuEventRecord(CUevent, CUstream);
CUresult cuEventRecordWithFlags(CUevent, CUstream, unsigned);
CUresult cuGraphLaunch(CUgraphExec, CUstream);
CUresult cuGraphUpload(CUgraphExec, CUstream);
CUresult cuGraphInstantiateWithParams(CUgraphExec*, CUgraph, CUgraphInstantiateParams*);
}

SOFTCUDA_API CUresult cuLaunchKernel_ptsz(CUfunction function, unsigned gridX, unsigned gridY, unsigned gridZ, unsigned blockX,
                                          unsigned blockY, unsigned blockZ, unsigned shared, CUstream stream, void** parameters,
                                          void** extra) {
    return cuLaunchKernel(function, gridX, gridY, gridZ, blockX, blockY, blockZ, shared, own(stream), parameters, extra);
}
SOFTCUDA_API CUresult cuLaunchCooperativeKernel_ptsz(CUfunction function, unsigned gridX, unsigned gridY, unsigned gridZ, unsigned blockX,
                                                     unsigned blockY, unsigned blockZ, unsigned shared, CUstream stream,
                                                     void** parameters) {
    return cuLaunchCooperativeKernel(function, gridX, gridY, gridZ, blockX, blockY, blockZ, shared, own(stream), parameters);
}
SOFTCUDA_API CUresult cuLaunchHostFunc_ptsz(CUstream stream, CUhostFn function, void* data) {
    return cuLaunchHostFunc(own(stream), function, data);
}
SOFTCUDA_API CUresult cuMemAllocAsync_ptsz(CUdeviceptr* address, std::size_t bytes, CUstream stream) {
    return cuMemAllocAsync(address, bytes, own(stream));
}
SOFTCUDA_API CUresult cuMemAllocFromPoolAsync_ptsz(CUdeviceptr* address, std::size_t bytes, CUmemoryPool pool, CUstream stream) {
    return cuMemAllocFromPoolAsync(address, bytes, pool, own(stream));
}
SOFTCUDA_API CUresult cuMemFreeAsync_ptsz(CUdeviceptr address, CUstream stream) { return cuMemFreeAsync(address, own(stream)); }
SOFTCUDA_API CUresult cuMemcpyHtoDAsync_v2_ptsz(CUdeviceptr destination, const void* source, std::size_t bytes, CUstream stream) {
    return cuMemcpyHtoDAsync_v2(destination, source, bytes, own(stream));
}
SOFTCUDA_API CUresult cuMemcpyDtoHAsync_v2_ptsz(void* destination, CUdeviceptr source, std::size_t bytes, CUstream stream) {
    return cuMemcpyDtoHAsync_v2(destination, source, bytes, own(stream));
}
SOFTCUDA_API CUresult cuMemcpyDtoDAsync_v2_ptsz(CUdeviceptr destination, CUdeviceptr source, std::size_t bytes, CUstream stream) {
    return cuMemcpyDtoDAsync_v2(destination, source, bytes, own(stream));
}
SOFTCUDA_API CUresult cuMemcpyAsync_ptsz(CUdeviceptr destination, CUdeviceptr source, std::size_t bytes, CUstream stream) {
    return cuMemcpyAsync(destination, source, bytes, own(stream));
}
SOFTCUDA_API CUresult cuMemsetD8Async_ptsz(CUdeviceptr address, unsigned char value, std::size_t count, CUstream stream) {
    return cuMemsetD8Async(address, value, count, own(stream));
}
SOFTCUDA_API CUresult cuMemsetD16Async_ptsz(CUdeviceptr address, unsigned short value, std::size_t count, CUstream stream) {
    return cuMemsetD16Async(address, value, count, own(stream));
}
SOFTCUDA_API CUresult cuMemsetD32Async_ptsz(CUdeviceptr address, unsigned value, std::size_t count, CUstream stream) {
    return cuMemsetD32Async(address, value, count, own(stream));
}
SOFTCUDA_API CUresult cuStreamSynchronize_ptsz(CUstream stream) { return cuStreamSynchronize(own(stream)); }
SOFTCUDA_API CUresult cuStreamQuery_ptsz(CUstream stream) { return cuStreamQuery(own(stream)); }
SOFTCUDA_API CUresult cuStreamWaitEvent_ptsz(CUstream stream, CUevent event, unsigned flags) {
    return cuStreamWaitEvent(own(stream), event, flags);
}
SOFTCUDA_API CUresult cuStreamBeginCapture_v2_ptsz(CUstream stream, int mode) { return cuStreamBeginCapture_v2(own(stream), mode); }
SOFTCUDA_API CUresult cuStreamEndCapture_ptsz(CUstream stream, CUgraph* graph) { return cuStreamEndCapture(own(stream), graph); }
SOFTCUDA_API CUresult cuStreamIsCapturing_ptsz(CUstream stream, int* status) { return cuStreamIsCapturing(own(stream), status); }
SOFTCUDA_API CUresult cuEventRecord_ptsz(CUevent event, CUstream stream) { return cuEventRecord(event, own(stream)); }
SOFTCUDA_API CUresult cuEventRecordWithFlags_ptsz(CUevent event, CUstream stream, unsigned flags) {
    return cuEventRecordWithFlags(event, own(stream), flags);
}
SOFTCUDA_API CUresult cuGraphLaunch_ptsz(CUgraphExec exec, CUstream stream) { return cuGraphLaunch(exec, own(stream)); }
SOFTCUDA_API CUresult cuGraphUpload_ptsz(CUgraphExec exec, CUstream stream) { return cuGraphUpload(exec, own(stream)); }
SOFTCUDA_API CUresult cuGraphInstantiateWithParams_ptsz(CUgraphExec* exec, CUgraph graph, CUgraphInstantiateParams* parameters) {
    return cuGraphInstantiateWithParams(exec, graph, parameters);
}

// Synchronous copies of such programs wait for the thread's own stream only.
SOFTCUDA_API CUresult cuMemcpyHtoD_v2_ptds(CUdeviceptr destination, const void* source, std::size_t bytes) {
    CUresult result = cuMemcpyHtoDAsync_v2(destination, source, bytes, PerThreadStream);
    return result ? result : cuStreamSynchronize(PerThreadStream);
}
SOFTCUDA_API CUresult cuMemcpyDtoH_v2_ptds(void* destination, CUdeviceptr source, std::size_t bytes) {
    CUresult result = cuMemcpyDtoHAsync_v2(destination, source, bytes, PerThreadStream);
    return result ? result : cuStreamSynchronize(PerThreadStream);
}
SOFTCUDA_API CUresult cuMemcpyDtoD_v2_ptds(CUdeviceptr destination, CUdeviceptr source, std::size_t bytes) {
    return cuMemcpyDtoDAsync_v2(destination, source, bytes, PerThreadStream);
}
SOFTCUDA_API CUresult cuMemsetD8_v2_ptds(CUdeviceptr address, unsigned char value, std::size_t count) {
    return cuMemsetD8Async(address, value, count, PerThreadStream);
}
SOFTCUDA_API CUresult cuMemsetD16_v2_ptds(CUdeviceptr address, unsigned short value, std::size_t count) {
    return cuMemsetD16Async(address, value, count, PerThreadStream);
}
SOFTCUDA_API CUresult cuMemsetD32_v2_ptds(CUdeviceptr address, unsigned value, std::size_t count) {
    return cuMemsetD32Async(address, value, count, PerThreadStream);
}
