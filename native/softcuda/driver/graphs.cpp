// Graphs made by capture: instantiation, launch, update.
#include <algorithm>
#include <cstdio>
#include <utility>

#include "capture.hpp"
#include "counters.hpp"
#include "entry.hpp"
#include "schedule.hpp"

namespace softcuda::driver {

namespace {

constexpr std::uint64_t InstantiateFlags = 15, DeviceLaunch = 4;

/// CUgraphExecUpdateResult.
enum UpdateResult { UpdateSuccess = 0, UpdateError = 1, TopologyChanged = 2, NodeTypeChanged = 3, ParametersChanged = 5 };

CUresult instantiate(Call& call, CUgraphExec* handle, CUgraph graphHandle, std::uint64_t flags) {
    if (!handle || (flags & ~InstantiateFlags)) return CUDA_ERROR_INVALID_VALUE;
    std::shared_ptr<Graph> graph = driver().graphs.find(graphHandle);
    if (!graph || graph->context != call.context.get()) return CUDA_ERROR_INVALID_VALUE;
    if (flags & DeviceLaunch) return CUDA_ERROR_NOT_SUPPORTED;
    auto exec = std::make_shared<GraphExec>();
    exec->context = call.context.get();
    exec->nodes = std::make_shared<const std::vector<Node>>(graph->nodes);
    std::uint64_t created = newHandle();
    driver().graphExecs.add(created, std::move(exec));
    *handle = toHandle<CUgraphExec>(created);
    return CUDA_SUCCESS;
}

/// To CUDA, work of cuBLAS and cuDNN is kernels.
int typeOf(const Work& work) {
    if (std::holds_alternative<KernelWork>(work) || std::holds_alternative<LibraryWork>(work)) return 0;
    if (std::holds_alternative<CopyWork>(work)) return 1;
    if (std::holds_alternative<FillWork>(work)) return 2;
    if (std::holds_alternative<HostWork>(work)) return 3;
    return 5;
}

UpdateResult compare(const Node& before, const Node& after) {
    if (typeOf(before.work) != typeOf(after.work)) return NodeTypeChanged;
    if (before.dependencies != after.dependencies) return TopologyChanged;
    const auto* oldCopy = std::get_if<CopyWork>(&before.work);
    const auto* newCopy = std::get_if<CopyWork>(&after.work);
    // The kinds of memory at both ends of a copy are fixed when a graph is instantiated.
    if (oldCopy && oldCopy->kind != newCopy->kind) return ParametersChanged;
    return UpdateSuccess;
}

}  // namespace

}  // namespace softcuda::driver

using namespace softcuda::driver;

SOFTCUDA_API CUresult cuGraphCreate(CUgraph* handle, unsigned flags) {
    SOFTCUDA_CALL(cuGraphCreate);
    if (!handle || flags != 0) return CUDA_ERROR_INVALID_VALUE;
    auto graph = std::make_shared<Graph>();
    graph->context = call.context.get();
    std::uint64_t created = newHandle();
    driver().graphs.add(created, std::move(graph));
    *handle = toHandle<CUgraph>(created);
    return CUDA_SUCCESS;
}

SOFTCUDA_API CUresult cuGraphDestroy(CUgraph handle) {
    SOFTCUDA_CALL(cuGraphDestroy);
    return driver().graphs.remove(handle) ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
}

SOFTCUDA_API CUresult cuGraphGetNodes(CUgraph handle, CUgraphNode* nodes, std::size_t* count) {
    SOFTCUDA_CALL(cuGraphGetNodes);
    std::shared_ptr<Graph> graph = driver().graphs.find(handle);
    if (!graph || !count) return CUDA_ERROR_INVALID_VALUE;
    if (!nodes) {
        *count = graph->nodes.size();
        return CUDA_SUCCESS;
    }
    for (std::size_t i = 0; i < *count; ++i)
        nodes[i] = i < graph->handles.size() ? toHandle<CUgraphNode>(graph->handles[i]) : nullptr;
    *count = std::min(*count, graph->nodes.size());
    return CUDA_SUCCESS;
}

SOFTCUDA_API CUresult cuGraphInstantiateWithFlags(CUgraphExec* exec, CUgraph graph, unsigned long long flags) {
    SOFTCUDA_CALL(cuGraphInstantiateWithFlags);
    return instantiate(call, exec, graph, flags);
}

SOFTCUDA_API CUresult cuGraphInstantiate_v2(CUgraphExec* exec, CUgraph graph, CUgraphNode* errorNode, char* log, std::size_t bytes) {
    SOFTCUDA_CALL(cuGraphInstantiate_v2);
    if (errorNode) *errorNode = nullptr;
    if (log && bytes) *log = '\0';
    return instantiate(call, exec, graph, 0);
}

SOFTCUDA_API CUresult cuGraphInstantiateWithParams(CUgraphExec* exec, CUgraph graph, CUgraphInstantiateParams* parameters) {
    SOFTCUDA_CALL(cuGraphInstantiateWithParams);
    if (!parameters) return CUDA_ERROR_INVALID_VALUE;
    CUresult result = instantiate(call, exec, graph, parameters->flags);
    parameters->errorNode = nullptr;
    parameters->result = result == CUDA_SUCCESS ? 0 : 1;
    return result;
}

SOFTCUDA_API CUresult cuGraphExecDestroy(CUgraphExec handle) {
    SOFTCUDA_CALL(cuGraphExecDestroy);
    return driver().graphExecs.remove(handle) ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
}

SOFTCUDA_API CUresult cuGraphUpload(CUgraphExec handle, CUstream streamHandle) {
    SOFTCUDA_CALL(cuGraphUpload);
    if (!driver().graphExecs.find(handle)) return CUDA_ERROR_INVALID_VALUE;
    std::shared_ptr<Stream> stream;
    if (CUresult result = findStream(*call.context, streamHandle, stream)) return result;
    return checkNotCapturing(*stream);
}

SOFTCUDA_API CUresult cuGraphLaunch(CUgraphExec handle, CUstream streamHandle) {
    SOFTCUDA_CALL(cuGraphLaunch);
    std::shared_ptr<GraphExec> exec = driver().graphExecs.find(handle);
    if (!exec || exec->context != call.context.get()) return CUDA_ERROR_INVALID_VALUE;
    std::shared_ptr<Stream> stream;
    if (CUresult result = findStream(*call.context, streamHandle, stream)) return result;
    if (Capture* capture = stream->capture.get()) {
        // A child graph: its nodes are taken over, those without dependencies follow what the stream did before.
        if (capture->invalidated) return CUDA_ERROR_STREAM_CAPTURE_INVALIDATED;
        Graph& graph = *capture->graph;
        std::size_t first = graph.nodes.size();
        std::vector<char> hasSuccessor(exec->nodes->size(), 0);
        for (const Node& node : *exec->nodes) {
            Node copy{node.work, {}};
            for (std::size_t before : node.dependencies) {
                copy.dependencies.push_back(first + before);
                hasSuccessor[before] = 1;
            }
            if (node.dependencies.empty()) copy.dependencies = stream->dependencies;
            graph.nodes.push_back(std::move(copy));
            graph.handles.push_back(newHandle());
        }
        if (exec->nodes->empty()) return CUDA_SUCCESS;
        stream->dependencies.clear();
        for (std::size_t i = 0; i < hasSuccessor.size(); ++i)
            if (!hasSuccessor[i]) stream->dependencies.push_back(first + i);
        return CUDA_SUCCESS;
    }
    if (CUresult result = checkImplicitCapture(*call.context, *stream)) return result;
    countGraphLaunch();
    auto run = std::make_shared<GraphRun>();
    run->stream = stream;
    std::shared_ptr<GraphRun> previous = std::exchange(exec->last, run);
    return enqueue(call.lock, *call.context, stream, LaunchGraph{exec->nodes, run, previous});
}

SOFTCUDA_API CUresult cuGraphExecUpdate_v2(CUgraphExec handle, CUgraph graphHandle, CUgraphExecUpdateResultInfo* info) {
    SOFTCUDA_CALL(cuGraphExecUpdate_v2);
    std::shared_ptr<GraphExec> exec = driver().graphExecs.find(handle);
    std::shared_ptr<Graph> graph = driver().graphs.find(graphHandle);
    if (!exec || !graph || !info) return CUDA_ERROR_INVALID_VALUE;
    *info = {UpdateSuccess, nullptr, nullptr};
    const std::vector<Node>& before = *exec->nodes;
    UpdateResult found = before.size() == graph->nodes.size() ? UpdateSuccess : TopologyChanged;
    for (std::size_t i = 0; found == UpdateSuccess && i < before.size(); ++i) {
        found = compare(before[i], graph->nodes[i]);
        if (found != UpdateSuccess) info->errorNode = toHandle<CUgraphNode>(graph->handles[i]);
    }
    info->result = found;
    if (found != UpdateSuccess) return CUDA_ERROR_GRAPH_EXEC_UPDATE_FAILURE;
    // Launches that wait keep the nodes they were made with.
    exec->nodes = std::make_shared<const std::vector<Node>>(graph->nodes);
    return CUDA_SUCCESS;
}

SOFTCUDA_API CUresult cuGraphDebugDotPrint(CUgraph handle, const char* path, unsigned) {
    SOFTCUDA_CALL(cuGraphDebugDotPrint);
    std::shared_ptr<Graph> graph = driver().graphs.find(handle);
    if (!graph || !path) return CUDA_ERROR_INVALID_VALUE;
    std::FILE* file = std::fopen(path, "w");
    if (!file) return static_cast<CUresult>(304);  // operating system
    constexpr const char* Types[] = {"kernel", "memcpy", "memset", "host", "graph", "empty"};
    std::fputs("digraph captured {\n", file);
    for (std::size_t i = 0; i < graph->nodes.size(); ++i) {
        const Work& work = graph->nodes[i].work;
        const char* label = Types[typeOf(work)];
        if (const auto* kernel = std::get_if<KernelWork>(&work)) label = info(*kernel->function->kernel).name.c_str();
        if (const auto* library = std::get_if<LibraryWork>(&work)) label = library->name.c_str();
        std::fprintf(file, "  n%zu [label=\"%s\"];\n", i, label);
        for (std::size_t before : graph->nodes[i].dependencies) std::fprintf(file, "  n%zu -> n%zu;\n", before, i);
    }
    std::fputs("}\n", file);
    std::fclose(file);
    return CUDA_SUCCESS;
}
