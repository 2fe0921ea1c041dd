#include "configuration.hpp"

#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <string>

#include "faults.hpp"
#include "softcuda.h"
#include "state.hpp"

namespace softcuda::driver {

namespace {

template <class T>
bool number(std::string_view text, T& value) {
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc() && end == text.data() + text.size() && !text.empty();
}

bool flag(std::string_view text, bool& value) {
    if (text != "0" && text != "1") return false;
    value = text == "1";
    return true;
}

/// "4294967296", "4096M" or "4G".
bool size(std::string_view text, std::uint64_t& value) {
    int shift = 0;
    if (text.ends_with('M') || text.ends_with('m')) shift = 20;
    if (text.ends_with('G') || text.ends_with('g')) shift = 30;
    if (shift) text.remove_suffix(1);
    std::uint64_t parsed;
    if (!number(text, parsed) || parsed == 0 || parsed > (1ull << 44 >> shift)) return false;
    value = parsed << shift;
    return true;
}

template <class T>
bool ranged(std::string_view text, T& value, T least, T most) {
    T parsed;
    if (!number(text, parsed) || parsed < least || parsed > most) return false;
    value = parsed;
    return true;
}

bool architecture(std::string_view text, int& sm) {
    int parsed;
    if (!number(text, parsed) || (parsed != 80 && parsed != 86 && parsed != 89 && parsed != 90)) return false;
    sm = parsed;
    return true;
}

bool assign(Configuration& c, std::string_view name, std::string_view value) {
    if (name == "SOFTCUDA_SM") return architecture(value, c.sm);
    if (name == "SOFTCUDA_MEMORY") return size(value, c.memory);
    if (name == "SOFTCUDA_SMS") return ranged(value, c.multiprocessors, 0, 1024);
    if (name == "SOFTCUDA_SEED") return number(value, c.seed);
    if (name == "SOFTCUDA_WORKERS") return ranged(value, c.workers, 1, 256);
    if (name == "SOFTCUDA_CHECKS") return flag(value, c.checks);
    if (name == "SOFTCUDA_RACES") return flag(value, c.races);
    if (name == "SOFTCUDA_FOOTPRINT") return flag(value, c.footprint);
    if (name == "SOFTCUDA_DRIVER") return ranged(value, c.driverVersion, 11000, 99990);
    if (name == "SOFTCUDA_DEVICES") return ranged(value, c.devices, 0, 1);
    if (name == "SOFTCUDA_LEAKS") return flag(value, c.leaks);
    if (name == "SOFTCUDA_DISGUISE") return flag(value, c.disguise);
    if (name == "SOFTCUDA_FAIL") return scheduleFailures(value);
    return false;
}

constexpr const char* Names[] = {
    "SOFTCUDA_SM",        "SOFTCUDA_MEMORY", "SOFTCUDA_SMS",     "SOFTCUDA_SEED",  "SOFTCUDA_WORKERS", "SOFTCUDA_CHECKS",
    "SOFTCUDA_FOOTPRINT", "SOFTCUDA_DRIVER", "SOFTCUDA_DEVICES", "SOFTCUDA_LEAKS", "SOFTCUDA_FAIL",
    "SOFTCUDA_DISGUISE",  "SOFTCUDA_RACES",
};

Configuration& mutableConfiguration() {
    static Configuration* values = [] {
        auto* fromEnvironment = new Configuration;
        for (const char* name : Names) {
            const char* value = std::getenv(name);
            if (value && *value && !assign(*fromEnvironment, name, value))
                std::fprintf(stderr, "softcuda: %s=%s is not understood, and ignored\n", name, value);
        }
        return fromEnvironment;
    }();
    return *values;
}

}  // namespace

const Configuration& configuration() { return mutableConfiguration(); }

bool configure(std::string_view name, std::string_view value) {
    Configuration& current = mutableConfiguration();
    Lock lock(driver().mutex);
    if (name == "SOFTCUDA_RESTART") {
        // Stands for a new process: handles of the old one are void.
        driver().lost = CUDA_SUCCESS;
        return value == "1";
    }
    Configuration changed = current;
    if (!assign(changed, name, value)) return false;
    bool device = changed.sm != current.sm || changed.memory != current.memory || changed.multiprocessors != current.multiprocessors ||
                  changed.devices != current.devices;
    if (device && !driver().idle()) return false;
    if (changed.memory != current.memory) driver().memory.reset();
    current = changed;
    if (name == "SOFTCUDA_SEED") driver().reseed();
    return true;
}

}  // namespace softcuda::driver

SOFTCUDA_API int softcudaSet(const char* name, const char* value) {
    return name && value && softcuda::driver::configure(name, value) ? 0 : 1;
}

SOFTCUDA_API int softcudaDisguised(void) { return softcuda::driver::configuration().disguise; }

SOFTCUDA_API int softcudaVersion(void) { return 4; }
