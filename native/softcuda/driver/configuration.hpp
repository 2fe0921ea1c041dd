// What the software device is: from SOFTCUDA_* variables at first use, then from softcudaSet.
#pragma once
#include <cstdint>
#include <string_view>

namespace softcuda::driver {

struct Configuration {
    int sm = 80;
    std::uint64_t memory = 4ull << 30;
    int multiprocessors = 0;  // 0: as many as the device of that sm has
    std::uint64_t seed = 0;
    int workers = 2;
    bool checks = true;
    bool races = false;  // in global memory, which costs time
    bool footprint = true;
    int driverVersion = 12040;
    int devices = 1;
    bool leaks = true;
    bool disguise = false;  // to be taken for NVIDIA's driver
};

const Configuration& configuration();

/// What softcudaSet does; false for an unknown name, a malformed value, or one that needs an idle device.
bool configure(std::string_view name, std::string_view value);

}  // namespace softcuda::driver
