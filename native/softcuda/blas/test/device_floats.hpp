// Device memory for tests of the libraries.
#pragma once
#include <cmath>
#include <cstdint>
#include <vector>

#include "harness.hpp"

namespace harness {

inline void start() {
    CUcontext context{};
    OK(cuInit(0));
    OK(cuDevicePrimaryCtxRetain(&context, 0));
    OK(cuCtxSetCurrent(context));
}

/// Floats on the device; unwritten where none are given.
class Floats {
public:
    explicit Floats(std::size_t count) : count_(count) { OK(cuMemAlloc_v2(&address_, count * sizeof(float))); }
    explicit Floats(const std::vector<float>& values) : Floats(values.size()) {
        OK(cuMemcpyHtoD_v2(address_, values.data(), count_ * sizeof(float)));
    }
    Floats(const Floats&) = delete;
    Floats& operator=(const Floats&) = delete;
    ~Floats() { cuMemFree_v2(address_); }

    std::uint64_t at() const { return static_cast<std::uint64_t>(address_); }
    std::vector<float> values() const {
        std::vector<float> result(count_);
        OK(cuCtxSynchronize());
        OK(cuMemcpyDtoH_v2(result.data(), address_, count_ * sizeof(float)));
        return result;
    }

private:
    CUdeviceptr address_{};
    std::size_t count_;
};

/// Numbers in [-1, 1) from a linear congruential generator.
inline std::vector<float> numbers(std::size_t count, std::uint32_t seed) {
    std::vector<float> result(count);
    for (float& value : result) {
        seed = seed * 1664525u + 1013904223u;
        value = static_cast<float>(seed >> 8) / 8388608.f - 1.f;
    }
    return result;
}

/// The numbers as TF32 keeps them: 11 bits with the implied one, to the nearest.
inline std::vector<float> asTF32(std::vector<float> values) {
    for (float& value : values) {
        int exponent;
        float fraction = std::frexp(value, &exponent);
        value = std::ldexp(std::round(fraction * 2048.f), exponent - 11);
    }
    return values;
}

inline bool isClose(double actual, double expected) {
    double difference = actual - expected, size = expected < 0 ? -expected : expected;
    return (difference < 0 ? -difference : difference) <= 2e-5 * (1 + size);
}

}  // namespace harness
