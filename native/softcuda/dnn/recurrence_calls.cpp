// The entry points of recurrent networks. One layer, one direction, sequences of one length: anything else is not supported here.
// Arguments are checked when called, memory when the work runs.
#include <algorithm>

#include "recurrence.hpp"

namespace softcuda::dnn {

namespace {

constexpr int Standard = 0, NoBias = 0, DoubleBias = 2, Training = 1, Add = 0;

/// Scratch is asked for so that callers have to give it; all of it is written.
constexpr std::size_t WorkspaceBytes = 512;

struct Arguments {
    Rnn rnn;
    RnnData x;
    bool training;
    std::uint64_t xAt, yAt, firstH, firstC, lastH, lastC, weights, workspace, reserve;
    std::uint64_t dY, dX, dLastH, dLastC, dH, dC, dWeights;
};

std::size_t reserveBytes(const Rnn& rnn, const RnnData& x) { return Reserve(rnn, x.rows()).floats * sizeof(float); }

Status prepare(Arguments& a, void* handle, void* rnnDescriptor, void* xDescriptor, void* yDescriptor, void* hDescriptor, std::size_t weightBytes,
               std::uint64_t workspace, std::size_t workspaceBytes, std::uint64_t reserve, std::size_t givenReserve, bool training) {
    if (!alive<Handle>(handle)) return NotInitialized;
    auto* rnn = ready<Rnn>(rnnDescriptor);
    auto *x = ready<RnnData>(xDescriptor), *y = ready<RnnData>(yDescriptor);
    auto* h = ready<Tensor>(hDescriptor);
    if (!rnn || !x || !y || !h) return fail(BadParam, "a descriptor is null, destroyed or not set");
    if (x->columns != rnn->inputs || y->columns != rnn->hidden || x->steps != y->steps || x->batch != y->batch
        || h->size != std::array{1, x->batch, rnn->hidden, 1} || h->extent() != h->count()) {
        return fail(ShapeMismatch, "inputs, outputs and states do not fit the network");
    }
    if (weightBytes < rnn->weights() * sizeof(float)) return fail(SizeInsufficient, "the weight space is too small");
    if (workspace == 0 || workspaceBytes < WorkspaceBytes) return fail(SizeInsufficient, "the workspace is too small");
    if (training && (reserve == 0 || givenReserve < reserveBytes(*rnn, *x))) return fail(SizeInsufficient, "the reserve is too small");
    a = {};
    a.rnn = *rnn;
    a.x = *x;
    a.training = training;
    a.workspace = workspace;
    a.reserve = reserve;
    return Success;
}

const float* readFloats(std::uint64_t address, std::size_t count) {
    return address == 0 ? nullptr : static_cast<const float*>(softcudaRead(address, count * sizeof(float)));
}

float* writeFloats(std::uint64_t address, std::size_t count, bool alsoRead = false) {
    return address == 0 ? nullptr : static_cast<float*>(softcudaWrite(address, count * sizeof(float), alsoRead));
}

/// Matrices and biases one by one, since nobody has to fill what lies between them.
bool readWeights(const Rnn& rnn, std::uint64_t address, const float*& weights) {
    weights = nullptr;
    for (int id = 0; id < 2 * rnn.gates(); ++id) {
        const float* matrix = readFloats(address + rnn.matrix(id) * sizeof(float), static_cast<std::size_t>(rnn.hidden) * static_cast<std::size_t>(rnn.columns(id)));
        if (!matrix || (rnn.hasBias && !readFloats(address + rnn.bias(id) * sizeof(float), static_cast<std::size_t>(rnn.hidden)))) return false;
        if (id == 0) weights = matrix;
    }
    return true;
}

/// What the three passes share; false with a finding where memory is not there.
bool open(const Arguments& a, Sequence& s) {
    s = {a.rnn, a.x.steps, a.x.batch, nullptr, nullptr, readFloats(a.firstH, static_cast<std::size_t>(a.x.batch) * static_cast<std::size_t>(a.rnn.hidden)),
         nullptr, nullptr};
    s.firstC = readFloats(a.firstC, s.state());
    return softcudaWrite(a.workspace, WorkspaceBytes, 0) && (a.firstH == 0 || s.firstH) && (a.firstC == 0 || s.firstC);
}

std::size_t outputs(const Arguments& a) { return a.x.rows() * static_cast<std::size_t>(a.rnn.hidden); }

void runForward(const void* arguments) {
    const auto& a = *static_cast<const Arguments*>(arguments);
    Sequence s;
    if (!open(a, s) || !readWeights(a.rnn, a.weights, s.weights)) return;
    s.x = readFloats(a.xAt, a.x.count());
    s.reserve = a.training ? writeFloats(a.reserve, Reserve(a.rnn, a.x.rows()).floats) : nullptr;
    float* y = writeFloats(a.yAt, outputs(a));
    if (s.x && y && (!a.training || s.reserve)) forward(s, y, writeFloats(a.lastH, s.state()), writeFloats(a.lastC, s.state()));
}

void runBackwardData(const void* arguments) {
    const auto& a = *static_cast<const Arguments*>(arguments);
    Sequence s;
    if (!open(a, s) || !readWeights(a.rnn, a.weights, s.weights)) return;
    s.reserve = writeFloats(a.reserve, Reserve(a.rnn, a.x.rows()).floats, true);
    const float *y = readFloats(a.yAt, outputs(a)), *dY = readFloats(a.dY, outputs(a));
    const float *dLastH = readFloats(a.dLastH, s.state()), *dLastC = readFloats(a.dLastC, s.state());
    float* dX = writeFloats(a.dX, a.x.count());
    if (s.reserve && y && dY && dX) backwardData(s, y, dY, dX, dLastH, writeFloats(a.dH, s.state()), dLastC, writeFloats(a.dC, s.state()));
}

void runBackwardWeights(const void* arguments) {
    const auto& a = *static_cast<const Arguments*>(arguments);
    Sequence s;
    if (!open(a, s)) return;
    s.x = readFloats(a.xAt, a.x.count());
    s.reserve = writeFloats(a.reserve, Reserve(a.rnn, a.x.rows()).floats, true);
    const float* y = readFloats(a.yAt, outputs(a));
    const float* weights;
    if (!readWeights(a.rnn, a.dWeights, weights)) return;
    float* dWeights = nullptr;
    for (int id = 0; id < 2 * a.rnn.gates(); ++id) {
        float* matrix = writeFloats(a.dWeights + a.rnn.matrix(id) * sizeof(float), static_cast<std::size_t>(a.rnn.hidden) * static_cast<std::size_t>(a.rnn.columns(id)), true);
        if (a.rnn.hasBias) writeFloats(a.dWeights + a.rnn.bias(id) * sizeof(float), static_cast<std::size_t>(a.rnn.hidden), true);
        if (id == 0) dWeights = matrix;
    }
    if (s.x && s.reserve && y && dWeights) backwardWeights(s, y, dWeights);
}

Status submit(void* handle, const char* name, void (*work)(const void*), const Arguments& a, double read, double written) {
    double products = static_cast<double>(a.x.rows()) * a.rnn.gates() * a.rnn.hidden * (a.rnn.inputs + a.rnn.hidden);
    return enqueue(*alive<Handle>(handle), name, work, &a, sizeof a, 2 * products, read, written);
}

template <typename T>
int create(void** descriptor) {
    if (!descriptor) return fail(NullPointer, "the descriptor is null");
    *descriptor = new T;
    return Success;
}

template <typename T>
int destroy(void* descriptor) {
    T* d = alive<T>(descriptor);
    if (!d) return descriptor ? fail(BadParam, "the descriptor is of another kind, or was destroyed") : Success;
    d->mark = 0;
    delete d;
    return Success;
}

}  // namespace

#define SOFTCUDA_DESCRIPTOR(type, name)                                    \
    SOFTCUDA_EXPORT int cudnnCreate##name##Descriptor(void** descriptor) { \
        SOFTCUDA_ENTER(cudnnCreate##name##Descriptor);                     \
        return create<type>(descriptor);                                   \
    }                                                                      \
    SOFTCUDA_EXPORT int cudnnDestroy##name##Descriptor(void* descriptor) { \
        SOFTCUDA_ENTER(cudnnDestroy##name##Descriptor);                    \
        return destroy<type>(descriptor);                                  \
    }

SOFTCUDA_DESCRIPTOR(Dropout, Dropout)
SOFTCUDA_DESCRIPTOR(Rnn, RNN)
SOFTCUDA_DESCRIPTOR(RnnData, RNNData)

SOFTCUDA_EXPORT int cudnnSetDropoutDescriptor(void* descriptor, void* handle, float dropout, std::uint64_t states, std::size_t bytes, unsigned long long seed) {
    SOFTCUDA_ENTER(cudnnSetDropoutDescriptor);
    (void)states, (void)bytes, (void)seed;
    Dropout* d = alive<Dropout>(descriptor);
    if (!d || !alive<Handle>(handle)) return fail(BadParam, "cudnnSetDropoutDescriptor: no descriptor or no handle");
    if (dropout != 0) return fail(NotSupported, "cudnnSetDropoutDescriptor: a rate of 0 only");
    d->isSet = true;
    return Success;
}

SOFTCUDA_EXPORT int cudnnSetRNNDescriptor_v8(void* descriptor, int algorithm, int mode, int biasMode, int direction, int inputMode, int dataType,
                                             int mathPrecision, int mathType, std::int32_t inputs, std::int32_t hidden, std::int32_t projection,
                                             std::int32_t layers, void* dropout, std::uint32_t flags) {
    SOFTCUDA_ENTER(cudnnSetRNNDescriptor_v8);
    Rnn* r = alive<Rnn>(descriptor);
    if (!r || mode < RnnRelu || mode > Gru || mathType < 0 || mathType > 3 || std::min({inputs, hidden, projection, layers}) <= 0 || (dropout && !ready<Dropout>(dropout))) {
        return fail(BadParam, "cudnnSetRNNDescriptor_v8: no descriptor, or an argument out of range");
    }
    if (algorithm != Standard || direction != 0 || inputMode != 0 || dataType != Float || mathPrecision != Float || projection != hidden || layers != 1
        || (biasMode != NoBias && biasMode != DoubleBias) || flags > 1) {
        return fail(NotSupported, "cudnnSetRNNDescriptor_v8: one layer and direction by the standard algorithm in float only");
    }
    *r = {Rnn::Mark, true, mode, biasMode == DoubleBias, mathType, inputs, hidden};
    return Success;
}

SOFTCUDA_EXPORT int cudnnSetRNNDataDescriptor(void* descriptor, int dataType, int layout, int steps, int batch, int columns, const int* lengths, const void* fill) {
    SOFTCUDA_ENTER(cudnnSetRNNDataDescriptor);
    (void)fill;
    RnnData* d = alive<RnnData>(descriptor);
    if (!d || !lengths || std::min({steps, batch, columns}) <= 0) return fail(BadParam, "cudnnSetRNNDataDescriptor: no descriptor or lengths, or a size that is not positive");
    if (std::any_of(lengths, lengths + batch, [&](int length) { return length < 0 || length > steps; })) {
        return fail(BadParam, "cudnnSetRNNDataDescriptor: a length out of range");
    }
    if (dataType != Float || layout < 0 || layout > 1 || std::any_of(lengths, lengths + batch, [&](int length) { return length != steps; })) {
        return fail(NotSupported, "cudnnSetRNNDataDescriptor: float, time first, sequences of one length only");
    }
    *d = {RnnData::Mark, true, steps, batch, columns};
    return Success;
}

SOFTCUDA_EXPORT int cudnnGetRNNTempSpaceSizes(void* handle, void* rnn, int mode, void* x, std::size_t* workspaceBytes, std::size_t* bytes) {
    SOFTCUDA_ENTER(cudnnGetRNNTempSpaceSizes);
    if (!alive<Handle>(handle)) return NotInitialized;
    auto* r = ready<Rnn>(rnn);
    auto* d = ready<RnnData>(x);
    if (!r || !d || mode < 0 || mode > Training) return fail(BadParam, "cudnnGetRNNTempSpaceSizes: an argument is null or not set");
    if (workspaceBytes) *workspaceBytes = WorkspaceBytes;
    if (bytes) *bytes = mode == Training ? reserveBytes(*r, *d) : 0;
    return Success;
}

SOFTCUDA_EXPORT int cudnnGetRNNWeightSpaceSize(void* handle, void* rnn, std::size_t* bytes) {
    SOFTCUDA_ENTER(cudnnGetRNNWeightSpaceSize);
    if (!alive<Handle>(handle)) return NotInitialized;
    auto* r = ready<Rnn>(rnn);
    if (!r || !bytes) return fail(BadParam, "cudnnGetRNNWeightSpaceSize: an argument is null or not set");
    *bytes = r->weights() * sizeof(float);
    return Success;
}

SOFTCUDA_EXPORT int cudnnGetRNNWeightParams(void* handle, void* rnn, std::int32_t layer, std::size_t bytes, std::uint64_t space, std::int32_t id,
                                            void* matrix, std::uint64_t* matrixAt, void* bias, std::uint64_t* biasAt) {
    SOFTCUDA_ENTER(cudnnGetRNNWeightParams);
    if (!alive<Handle>(handle)) return NotInitialized;
    auto* r = ready<Rnn>(rnn);
    Tensor *m = alive<Tensor>(matrix), *b = alive<Tensor>(bias);
    if (!r || !m || !b || !matrixAt || !biasAt || layer != 0 || id < 0 || id >= 2 * r->gates()) {
        return fail(BadParam, "cudnnGetRNNWeightParams: an argument is null, not set or out of range");
    }
    if (bytes < r->weights() * sizeof(float)) return fail(SizeInsufficient, "cudnnGetRNNWeightParams: the weight space is too small");
    // Three dimensions: 1, rows, columns.
    m->setPacked(Nchw, 1, r->hidden, r->columns(id), 1);
    b->setPacked(Nchw, 1, r->hidden, 1, 1);
    *matrixAt = space + r->matrix(id) * sizeof(float);
    *biasAt = r->hasBias ? space + r->bias(id) * sizeof(float) : 0;
    return Success;
}

SOFTCUDA_EXPORT int cudnnRNNForward(void* handle, void* rnn, int mode, const std::int32_t*, void* xDescriptor, std::uint64_t x, void* yDescriptor,
                                    std::uint64_t y, void* hDescriptor, std::uint64_t hx, std::uint64_t hy, void* cDescriptor, std::uint64_t cx,
                                    std::uint64_t cy, std::size_t weightBytes, std::uint64_t weights, std::size_t workspaceBytes,
                                    std::uint64_t workspace, std::size_t givenReserve, std::uint64_t reserve) {
    SOFTCUDA_ENTER(cudnnRNNForward);
    (void)cDescriptor;
    Arguments a;
    if (Status status = prepare(a, handle, rnn, xDescriptor, yDescriptor, hDescriptor, weightBytes, workspace, workspaceBytes, reserve, givenReserve, mode == Training)) {
        return status;
    }
    if (x == 0 || y == 0 || weights == 0) return fail(NullPointer, "cudnnRNNForward: a tensor is null");
    a.xAt = x, a.yAt = y, a.firstH = hx, a.lastH = hy, a.weights = weights;
    if (a.rnn.mode == Lstm) a.firstC = cx, a.lastC = cy;
    double written = static_cast<double>(outputs(a)) + (a.training ? static_cast<double>(Reserve(a.rnn, a.x.rows()).floats) : 0);
    return submit(handle, "cudnnRNNForward", runForward, a, static_cast<double>(a.x.count() + a.rnn.weights()), written);
}

SOFTCUDA_EXPORT int cudnnRNNBackwardData_v8(void* handle, void* rnn, const std::int32_t*, void* yDescriptor, std::uint64_t y, std::uint64_t dy,
                                            void* xDescriptor, std::uint64_t dx, void* hDescriptor, std::uint64_t hx, std::uint64_t dhy,
                                            std::uint64_t dhx, void* cDescriptor, std::uint64_t cx, std::uint64_t dcy, std::uint64_t dcx,
                                            std::size_t weightBytes, std::uint64_t weights, std::size_t workspaceBytes, std::uint64_t workspace,
                                            std::size_t givenReserve, std::uint64_t reserve) {
    SOFTCUDA_ENTER(cudnnRNNBackwardData_v8);
    (void)cDescriptor;
    Arguments a;
    if (Status status = prepare(a, handle, rnn, xDescriptor, yDescriptor, hDescriptor, weightBytes, workspace, workspaceBytes, reserve, givenReserve, true)) {
        return status;
    }
    if (y == 0 || dy == 0 || dx == 0 || weights == 0) return fail(NullPointer, "cudnnRNNBackwardData_v8: a tensor is null");
    a.yAt = y, a.dY = dy, a.dX = dx, a.firstH = hx, a.dLastH = dhy, a.dH = dhx, a.weights = weights;
    if (a.rnn.mode == Lstm) a.firstC = cx, a.dLastC = dcy, a.dC = dcx;
    double reserved = static_cast<double>(Reserve(a.rnn, a.x.rows()).floats);
    return submit(handle, "cudnnRNNBackwardData_v8", runBackwardData, a, reserved + static_cast<double>(2 * outputs(a) + a.rnn.weights()),
                  reserved + static_cast<double>(a.x.count()));
}

SOFTCUDA_EXPORT int cudnnRNNBackwardWeights_v8(void* handle, void* rnn, int mode, const std::int32_t*, void* xDescriptor, std::uint64_t x,
                                               void* hDescriptor, std::uint64_t hx, void* yDescriptor, std::uint64_t y, std::size_t weightBytes,
                                               std::uint64_t dWeights, std::size_t workspaceBytes, std::uint64_t workspace, std::size_t givenReserve,
                                               std::uint64_t reserve) {
    SOFTCUDA_ENTER(cudnnRNNBackwardWeights_v8);
    Arguments a;
    if (Status status = prepare(a, handle, rnn, xDescriptor, yDescriptor, hDescriptor, weightBytes, workspace, workspaceBytes, reserve, givenReserve, true)) {
        return status;
    }
    if (mode != Add) return fail(NotSupported, "cudnnRNNBackwardWeights_v8: gradients are added");
    if (x == 0 || y == 0 || dWeights == 0) return fail(NullPointer, "cudnnRNNBackwardWeights_v8: a tensor is null");
    a.xAt = x, a.yAt = y, a.firstH = hx, a.dWeights = dWeights;
    double reserved = static_cast<double>(Reserve(a.rnn, a.x.rows()).floats), all = static_cast<double>(a.rnn.weights());
    return submit(handle, "cudnnRNNBackwardWeights_v8", runBackwardWeights, a, reserved + all + static_cast<double>(a.x.count() + outputs(a)), all);
}

}  // namespace softcuda::dnn
