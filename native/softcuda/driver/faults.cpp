#include "faults.hpp"

#include <charconv>
#include <cstdio>
#include <cstring>
#include <mutex>

#include "configuration.hpp"
#include "entry.hpp"
#include "softcuda.h"
#include "state.hpp"

namespace softcuda::driver {

thread_local int callbackDepth = 0;

namespace {

struct Failure {
    std::string function;
    std::uint64_t calls;  // counted down
    int code;
};

struct Faults {
    std::mutex mutex;
    std::vector<Failure> schedule;
    std::vector<Finding> findings;
    std::vector<std::string> texts;
};

Faults& faults() {
    static auto* all = new Faults;
    return *all;
}

/// Whether a scheduled name means an exported function: the name itself, or the name without its version suffix.
bool means(std::string_view scheduled, std::string_view function) {
    if (!function.starts_with(scheduled)) return false;
    std::string_view rest = function.substr(scheduled.size());
    return rest.empty() || (rest.size() == 3 && rest.starts_with("_v"));
}

template <class T>
bool number(std::string_view text, T& value) {
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc() && end == text.data() + text.size() && !text.empty();
}

constexpr std::size_t MostFindings = 1000;

}  // namespace

bool scheduleFailures(std::string_view schedule) {
    std::vector<Failure> parsed;
    while (!schedule.empty()) {
        std::string_view entry = schedule.substr(0, schedule.find(','));
        schedule.remove_prefix(std::min(schedule.size(), entry.size() + 1));
        std::size_t first = entry.find(':'), second = entry.rfind(':');
        Failure failure;
        if (first == std::string_view::npos || first == 0 || first == second) return false;
        if (!number(entry.substr(first + 1, second - first - 1), failure.calls) || failure.calls == 0) return false;
        if (!number(entry.substr(second + 1), failure.code) || failure.code == 0) return false;
        failure.function = entry.substr(0, first);
        parsed.push_back(std::move(failure));
    }
    std::lock_guard lock(faults().mutex);
    faults().schedule = std::move(parsed);
    return true;
}

void report(const std::vector<Finding>& findings) {
    std::string block;
    std::lock_guard lock(faults().mutex);
    Faults& all = faults();
    for (const Finding& finding : findings) {
        bool known = false;
        for (const Finding& other : all.findings)
            known = known || (other.kind == finding.kind && other.line == finding.line && other.kernel == finding.kernel &&
                              other.message == finding.message);
        if (known || all.findings.size() >= MostFindings) continue;
        all.findings.push_back(finding);
        all.texts.push_back(describe(finding));
        block += "softcuda: " + all.texts.back() + "\n";
    }
    if (!block.empty()) std::fputs(block.c_str(), stderr);
}

void reportHostAccess(const std::string& who, std::uint64_t address, const std::string& message) {
    Finding finding;
    finding.kind = FindingKind::HostAccess;
    finding.kernel = who;
    finding.address = address;
    finding.message = message;
    report({finding});
}

CUresult enter(const char* function) {
    softcudaCount(function);
    if (int code = softcudaFailure(function)) return static_cast<CUresult>(code);
    return callbackDepth > 0 ? CUDA_ERROR_NOT_PERMITTED : CUDA_SUCCESS;
}

}  // namespace softcuda::driver

using softcuda::driver::faults;

SOFTCUDA_API int softcudaFailure(const char* function) {
    softcuda::driver::configuration();  // the environment's schedule must be there before the first call is judged
    std::lock_guard lock(faults().mutex);
    auto& schedule = faults().schedule;
    int due = 0;
    for (std::size_t i = 0; i < schedule.size();) {
        if (softcuda::driver::means(schedule[i].function, function) && --schedule[i].calls == 0) {
            if (due == 0) due = schedule[i].code;
            schedule.erase(schedule.begin() + static_cast<std::ptrdiff_t>(i));
        } else {
            ++i;
        }
    }
    return due;
}

SOFTCUDA_API std::size_t softcudaFindings() {
    std::lock_guard lock(faults().mutex);
    return faults().findings.size();
}

SOFTCUDA_API std::size_t softcudaFindingText(char* buffer, std::size_t bytes) {
    std::lock_guard lock(faults().mutex);
    std::string text;
    for (const std::string& line : faults().texts) text += line + "\n";
    if (buffer && bytes > text.size()) std::memcpy(buffer, text.c_str(), text.size() + 1);
    return text.size() + 1;
}

SOFTCUDA_API void softcudaClearFindings() {
    std::lock_guard lock(faults().mutex);
    faults().findings.clear();
    faults().texts.clear();
}
