// Recurrent networks of one layer and direction: what their descriptors hold, and their arithmetic on host memory.
#pragma once
#include <cstddef>

#include "cudnn.hpp"

namespace softcuda::dnn {

enum RnnMode : int { RnnRelu = 0, RnnTanh = 1, Lstm = 2, Gru = 3 };

struct Dropout {
    static constexpr std::uint32_t Mark = 0x7444;
    std::uint32_t mark = Mark;
    bool isSet = false;
};

struct Rnn {
    static constexpr std::uint32_t Mark = 0x7452;
    std::uint32_t mark = Mark;
    bool isSet = false;
    int mode = 0;
    bool hasBias = false;
    int mathType = 0;
    int inputs = 0, hidden = 0;

    int gates() const { return mode == Lstm ? 4 : mode == Gru ? 3 : 1; }
    /// Numbers of a matrix's row; the matrices of inputs come first.
    int columns(int id) const { return id < gates() ? inputs : hidden; }
    /// Floats from the beginning of the weight space to a matrix [hidden, columns] and to a bias [hidden]. Between them lies room that
    /// belongs to nothing, since callers have to ask where each is.
    std::size_t matrix(int id) const;
    std::size_t bias(int id) const;
    std::size_t weights() const { return bias(2 * gates()); }
};

struct RnnData {
    static constexpr std::uint32_t Mark = 0x7453;
    std::uint32_t mark = Mark;
    bool isSet = false;
    int steps = 0, batch = 0, columns = 0;

    std::size_t rows() const { return static_cast<std::size_t>(steps) * static_cast<std::size_t>(batch); }
    std::size_t count() const { return rows() * static_cast<std::size_t>(columns); }
};

/// What forward leaves for backward, in floats: a word that tells what ran last, the gates of all steps [T, B, G H], h's product with
/// the weight of a GRU's new gate or the cells of an LSTM [T, B, H].
struct Reserve {
    static constexpr float Forward = 1, BackwardData = 2;
    std::size_t gates, more, floats;

    Reserve(const Rnn& rnn, std::size_t rows);
};

/// Host addresses; those that a caller may leave out are null.
struct Sequence {
    Rnn rnn;
    int steps, batch;
    const float* x;
    const float* weights;
    const float* firstH;
    const float* firstC;
    float* reserve;

    std::size_t state() const { return static_cast<std::size_t>(batch) * static_cast<std::size_t>(rnn.hidden); }
};

void forward(const Sequence& s, float* y, float* lastH, float* lastC);
void backwardData(const Sequence& s, const float* y, const float* dY, float* dX, const float* dLastH, float* dH, const float* dLastC, float* dC);
/// dWeights += the gradients.
void backwardWeights(const Sequence& s, const float* y, float* dWeights);

}  // namespace softcuda::dnn
