// The arithmetic of recurrent networks, sums in double, from the equations of cuDNN's documentation (cudnnRNNMode_t):
// LSTM   i, f, o = sigmoid(W x + R h + b + c), c' = tanh(...); c = f c + i c'; h = o tanh(c); gates i, f, c', o.
// GRU    r, i = sigmoid(W x + R h + b + c), h' = tanh(W x + b + r (R h + c)); h = (1 - i) h' + i h; gates r, i, h'.
// Others h = f(W x + R h + b + c).
#include "recurrence.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

namespace softcuda::dnn {

namespace {

constexpr std::size_t Gap = 8;

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

double dot(const float* a, const float* b, int count) {
    double sum = 0;
    for (int i = 0; i < count; ++i) sum += static_cast<double>(a[i]) * b[i];
    return sum;
}

std::size_t product(int a, int b) { return static_cast<std::size_t>(a) * static_cast<std::size_t>(b); }

struct Shape {
    int G, H, B, T;
    std::size_t width;
    Reserve reserve;

    explicit Shape(const Sequence& s)
        : G(s.rnn.gates()), H(s.rnn.hidden), B(s.batch), T(s.steps), width(product(G, H)), reserve(s.rnn, product(T, B)) {}

    std::size_t row(int t, int b) const { return product(t, B) + static_cast<std::size_t>(b); }
};

template <typename Body>
void forRows(int count, const Body& body) {
    softcudaParallel([](void* context, std::size_t b) { (*static_cast<const Body*>(context))(static_cast<int>(b)); }, const_cast<Body*>(&body),
                     static_cast<std::size_t>(count));
}

}  // namespace

std::size_t Rnn::matrix(int id) const {
    std::size_t at = 0;
    for (int i = 0; i < id; ++i) at += product(hidden, columns(i)) + Gap;
    return at;
}

std::size_t Rnn::bias(int id) const {
    return matrix(2 * gates()) + (hasBias ? static_cast<std::size_t>(id) * (static_cast<std::size_t>(hidden) + Gap) : 0);
}

Reserve::Reserve(const Rnn& rnn, std::size_t rows) {
    gates = 1;
    more = gates + rows * product(rnn.gates(), rnn.hidden);
    floats = more + rows * static_cast<std::size_t>(rnn.hidden);
}

void forward(const Sequence& s, float* y, float* lastH, float* lastC) {
    const Shape shape(s);
    const int G = shape.G, H = shape.H;
    forRows(shape.B, [&](int b) {
        std::vector<float> h(static_cast<std::size_t>(H)), next(h.size()), sums(2 * shape.width);
        std::vector<double> c(h.size());
        for (int j = 0; j < H; ++j) {
            std::size_t place = product(b, H) + static_cast<std::size_t>(j), at = static_cast<std::size_t>(j);
            h[at] = s.firstH ? s.firstH[place] : 0;
            c[at] = s.firstC ? s.firstC[place] : 0;
        }
        for (int t = 0; t < shape.T; ++t) {
            const std::size_t row = shape.row(t, b);
            const float* x = s.x + row * static_cast<std::size_t>(s.rnn.inputs);
            for (int j = 0; j < H; ++j) {
                double input[4], state[4];
                for (int g = 0; g < G; ++g) {
                    input[g] = dot(s.weights + s.rnn.matrix(g) + product(j, s.rnn.inputs), x, s.rnn.inputs);
                    state[g] = dot(s.weights + s.rnn.matrix(G + g) + product(j, H), h.data(), H);
                    if (s.rnn.hasBias) {
                        input[g] += s.weights[s.rnn.bias(g) + static_cast<std::size_t>(j)];
                        state[g] += s.weights[s.rnn.bias(G + g) + static_cast<std::size_t>(j)];
                    }
                }
                const std::size_t at = static_cast<std::size_t>(j);
                double gate[4] = {}, more = 0, result;
                if (s.rnn.mode == Lstm) {
                    for (int g = 0; g < G; ++g) gate[g] = g == 2 ? std::tanh(input[g] + state[g]) : sigmoid(input[g] + state[g]);
                    c[at] = gate[1] * c[at] + gate[0] * gate[2];
                    more = c[at];
                    result = gate[3] * std::tanh(c[at]);
                } else if (s.rnn.mode == Gru) {
                    gate[0] = sigmoid(input[0] + state[0]);
                    gate[1] = sigmoid(input[1] + state[1]);
                    more = state[2];
                    gate[2] = std::tanh(input[2] + gate[0] * more);
                    result = (1 - gate[1]) * gate[2] + gate[1] * h[at];
                } else {
                    double sum = input[0] + state[0];
                    result = gate[0] = s.rnn.mode == RnnTanh ? std::tanh(sum) : sum > 0 ? sum : 0;
                }
                next[at] = y[row * static_cast<std::size_t>(H) + at] = static_cast<float>(result);
                if (!s.reserve) continue;
                for (int g = 0; g < G; ++g) s.reserve[shape.reserve.gates + row * shape.width + product(g, H) + at] = static_cast<float>(gate[g]);
                s.reserve[shape.reserve.more + row * static_cast<std::size_t>(H) + at] = static_cast<float>(more);
            }
            h.swap(next);
        }
        for (int j = 0; j < H; ++j) {
            std::size_t place = product(b, H) + static_cast<std::size_t>(j), at = static_cast<std::size_t>(j);
            if (lastH) lastH[place] = h[at];
            if (lastC) lastC[place] = static_cast<float>(c[at]);
        }
    });
    if (s.reserve) s.reserve[0] = Reserve::Forward;
}

void backwardData(const Sequence& s, const float* y, const float* dY, float* dX, const float* dLastH, float* dH, const float* dLastC, float* dC) {
    const Shape shape(s);
    const int G = shape.G, H = shape.H, D = s.rnn.inputs;
    // After anything but forward the reserve holds no gates, and there is no gradient.
    const double wrong = s.reserve[0] == Reserve::Forward ? 0 : std::nan("");
    forRows(shape.B, [&](int b) {
        std::vector<double> dState(static_cast<std::size_t>(H)), dCell(dState.size());
        for (int j = 0; j < H; ++j) {
            std::size_t place = product(b, H) + static_cast<std::size_t>(j), at = static_cast<std::size_t>(j);
            dState[at] = (dLastH ? dLastH[place] : 0) + wrong;
            dCell[at] = dLastC ? dLastC[place] : 0;
        }
        for (int t = shape.T - 1; t >= 0; --t) {
            const std::size_t row = shape.row(t, b), before = t == 0 ? 0 : shape.row(t - 1, b);
            float* gates = s.reserve + shape.reserve.gates + row * shape.width;
            float* more = s.reserve + shape.reserve.more + row * static_cast<std::size_t>(H);
            std::vector<double> straight(dState.size());
            for (int j = 0; j < H; ++j) {
                const std::size_t at = static_cast<std::size_t>(j), place = product(b, H) + at;
                auto gate = [&](int g) -> float& { return gates[product(g, H) + at]; };
                const double d = dState[at] + dY[row * static_cast<std::size_t>(H) + at];
                if (s.rnn.mode == Lstm) {
                    const double i = gate(0), f = gate(1), g = gate(2), o = gate(3), tanhC = std::tanh(static_cast<double>(more[at]));
                    const double cBefore = t == 0 ? (s.firstC ? s.firstC[place] : 0) : s.reserve[shape.reserve.more + before * static_cast<std::size_t>(H) + at];
                    const double dc = dCell[at] + d * o * (1 - tanhC * tanhC);
                    gate(0) = static_cast<float>(dc * g * i * (1 - i));
                    gate(1) = static_cast<float>(dc * cBefore * f * (1 - f));
                    gate(2) = static_cast<float>(dc * i * (1 - g * g));
                    gate(3) = static_cast<float>(d * tanhC * o * (1 - o));
                    dCell[at] = dc * f;
                } else if (s.rnn.mode == Gru) {
                    const double r = gate(0), i = gate(1), n = gate(2), product2 = more[at];
                    const double hBefore = t == 0 ? (s.firstH ? s.firstH[place] : 0) : y[before * static_cast<std::size_t>(H) + at];
                    const double dn = d * (1 - i) * (1 - n * n);
                    gate(0) = static_cast<float>(dn * product2 * r * (1 - r));
                    gate(1) = static_cast<float>(d * (hBefore - n) * i * (1 - i));
                    gate(2) = static_cast<float>(dn);
                    more[at] = static_cast<float>(dn * r);
                    straight[at] = d * i;
                } else {
                    const double value = gate(0);
                    gate(0) = static_cast<float>(s.rnn.mode == RnnTanh ? d * (1 - value * value) : value > 0 ? d : 0);
                }
            }
            dState = straight;
            for (int g = 0; g < G; ++g) {
                for (int j = 0; j < H; ++j) {
                    const std::size_t at = static_cast<std::size_t>(j);
                    const double d = s.rnn.mode == Gru && g == 2 ? more[at] : gates[product(g, H) + at];
                    const float* weights = s.weights + s.rnn.matrix(G + g) + product(j, H);
                    for (int k = 0; k < H; ++k) dState[static_cast<std::size_t>(k)] += d * weights[k];
                }
            }
            if (!dX) continue;
            std::vector<double> sums(static_cast<std::size_t>(D));
            for (int g = 0; g < G; ++g) {
                for (int j = 0; j < H; ++j) {
                    const double d = gates[product(g, H) + static_cast<std::size_t>(j)];
                    const float* weights = s.weights + s.rnn.matrix(g) + product(j, D);
                    for (int k = 0; k < D; ++k) sums[static_cast<std::size_t>(k)] += d * weights[k];
                }
            }
            std::transform(sums.begin(), sums.end(), dX + row * static_cast<std::size_t>(D), [](double sum) { return static_cast<float>(sum); });
        }
        for (int j = 0; j < H; ++j) {
            std::size_t place = product(b, H) + static_cast<std::size_t>(j), at = static_cast<std::size_t>(j);
            if (dH) dH[place] = static_cast<float>(dState[at]);
            if (dC) dC[place] = static_cast<float>(dCell[at]);
        }
    });
    s.reserve[0] = Reserve::BackwardData;
}

void backwardWeights(const Sequence& s, const float* y, float* dWeights) {
    const Shape shape(s);
    const int G = shape.G, H = shape.H, D = s.rnn.inputs;
    // The gradients of the gates are backwardData's.
    const double wrong = s.reserve[0] == Reserve::BackwardData ? 0 : std::nan("");
    forRows(static_cast<int>(shape.width), [&](int column) {
        const int g = column / H, j = column % H;
        std::vector<double> input(static_cast<std::size_t>(D)), state(static_cast<std::size_t>(H));
        double inputBias = wrong, stateBias = wrong;
        for (int t = 0; t < shape.T; ++t) {
            for (int b = 0; b < shape.B; ++b) {
                const std::size_t row = shape.row(t, b), at = static_cast<std::size_t>(j);
                const double d = s.reserve[shape.reserve.gates + row * shape.width + product(g, H) + at];
                const double dState = s.rnn.mode == Gru && g == 2 ? s.reserve[shape.reserve.more + row * static_cast<std::size_t>(H) + at] : d;
                const float* x = s.x + row * static_cast<std::size_t>(D);
                for (int k = 0; k < D; ++k) input[static_cast<std::size_t>(k)] += d * x[k];
                const float* h = t == 0 ? (s.firstH ? s.firstH + product(b, H) : nullptr) : y + shape.row(t - 1, b) * static_cast<std::size_t>(H);
                for (int k = 0; h && k < H; ++k) state[static_cast<std::size_t>(k)] += dState * h[k];
                inputBias += d;
                stateBias += dState;
            }
        }
        auto add = [&](float* to, const std::vector<double>& sums) {
            for (std::size_t k = 0; k < sums.size(); ++k) to[k] += static_cast<float>(sums[k] + wrong);
        };
        add(dWeights + s.rnn.matrix(g) + product(j, D), input);
        add(dWeights + s.rnn.matrix(G + g) + product(j, H), state);
        if (!s.rnn.hasBias) return;
        dWeights[s.rnn.bias(g) + static_cast<std::size_t>(j)] += static_cast<float>(inputBias);
        dWeights[s.rnn.bias(G + g) + static_cast<std::size_t>(j)] += static_cast<float>(stateBias);
    });
}

}  // namespace softcuda::dnn
