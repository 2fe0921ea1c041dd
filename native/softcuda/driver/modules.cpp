// Modules: PTX text in, functions and variables out.
#include <algorithm>
#include <charconv>
#include <cstring>

#include "capture.hpp"
#include "configuration.hpp"
#include "device.hpp"
#include "entry.hpp"
#include "functions.hpp"
#include "schedule.hpp"

namespace softcuda::driver {

namespace {

enum JitOption { WallTime = 2, InfoLog = 3, InfoLogSize = 4, ErrorLog = 5, ErrorLogSize = 6, LastOption = 33 };
constexpr std::size_t MostText = 256 << 20;

/// The JIT's options that are answered: logs, with their sizes written back, and the time taken.
class Options {
public:
    Options(unsigned count, const int* names, void** values) : count_(count), names_(names), values_(values) {}

    bool valid() const {
        if (count_ > 0 && (!names_ || !values_)) return false;
        for (unsigned i = 0; i < count_; ++i)
            if (names_[i] < 0 || names_[i] > LastOption) return false;
        return true;
    }

    void finish(std::string_view errors, float milliseconds) {
        writeLog(ErrorLog, ErrorLogSize, errors);
        writeLog(InfoLog, InfoLogSize, {});
        for (unsigned i = 0; i < count_; ++i)
            if (names_[i] == WallTime) std::memcpy(&values_[i], &milliseconds, sizeof milliseconds);
    }

private:
    void writeLog(int bufferOption, int sizeOption, std::string_view text) {
        void** buffer = value(bufferOption);
        void** size = value(sizeOption);
        if (!size) return;
        // Sizes come and go as the 32-bit number in the pointer's place.
        std::size_t room = reinterpret_cast<std::uintptr_t>(*size) & 0xffffffffu;
        std::size_t used = 0;
        if (buffer && *buffer && room > 0) {
            used = std::min(text.size(), room - 1);
            std::memcpy(*buffer, text.data(), used);
            static_cast<char*>(*buffer)[used] = '\0';
        }
        *size = reinterpret_cast<void*>(used);
    }

    void** value(int option) const {
        for (unsigned i = 0; i < count_; ++i)
            if (names_[i] == option) return &values_[i];
        return nullptr;
    }

    unsigned count_;
    const int* names_;
    void** values_;
};

/// The highest PTX version that the driver of a CUDA release compiles: 11.0 brought 7.0, 12.0 8.0, 13.0 9.0; CUDA 12.6 brought none.
int newestPtx(int driverVersion) {
    int major = driverVersion / 1000, minor = driverVersion % 1000 / 10;
    if (major == 12 && minor >= 6) --minor;
    return (major - 4) * 10 + minor;
}

/// What follows a directive at the start of a line, before anything is compiled; empty where there is none.
std::string_view directive(std::string_view text, std::string_view name) {
    for (std::size_t at = text.find(name); at != std::string_view::npos; at = text.find(name, at + 1)) {
        std::size_t line = at == 0 ? 0 : text.rfind('\n', at - 1) + 1;
        if (text.substr(line, at - line).find_first_not_of(" \t\r") != std::string_view::npos) continue;
        std::string_view rest = text.substr(at + name.size());
        rest = rest.substr(0, rest.find('\n'));
        std::size_t begin = rest.find_first_not_of(" \t");
        if (begin == std::string_view::npos || begin == 0) continue;
        rest.remove_prefix(begin);
        return rest.substr(0, rest.find_first_of(" \t\r,;/"));
    }
    return {};
}

CUresult checkVersion(std::string_view version, std::string& error) {
    int major = 0, minor = 0;
    std::size_t dot = version.find('.');
    if (dot == std::string_view::npos) return CUDA_ERROR_INVALID_PTX;
    std::from_chars(version.data(), version.data() + dot, major);
    std::from_chars(version.data() + dot + 1, version.data() + version.size(), minor);
    int driverVersion = configuration().driverVersion, newest = newestPtx(driverVersion);
    if (major * 10 + minor <= newest) return CUDA_SUCCESS;
    error = "PTX .version " + std::string(version) + " is newer than .version " + std::to_string(newest / 10) + "." +
            std::to_string(newest % 10) + ", the newest that a driver of CUDA " + std::to_string(driverVersion / 1000) + "." +
            std::to_string(driverVersion % 1000 / 10) + " compiles";
    return CUDA_ERROR_UNSUPPORTED_PTX_VERSION;
}

/// PTX for an older architecture compiles for every newer one, save for the variants "a" (that one only) and "f" (its family).
CUresult checkTarget(std::string_view target, std::string& error) {
    int wanted = 0, device = deviceModel().sm;
    if (!target.starts_with("sm_")) return CUDA_SUCCESS;  // the parser says what is wrong
    auto [end, code] = std::from_chars(target.data() + 3, target.data() + target.size(), wanted);
    if (code != std::errc()) return CUDA_SUCCESS;
    char variant = end < target.data() + target.size() ? *end : ' ';
    bool fits = variant == 'a' ? wanted == device : variant == 'f' ? wanted / 10 == device / 10 && wanted <= device : wanted <= device;
    if (fits) return CUDA_SUCCESS;
    error = "PTX .target " + std::string(target) + " cannot be compiled for this device, sm_" + std::to_string(device);
    return CUDA_ERROR_INVALID_PTX;
}

bool isBinary(const unsigned char* image) {
    constexpr unsigned char Elf[] = {0x7f, 'E', 'L', 'F'}, Fatbin[] = {0x50, 0xed, 0x55, 0xba}, Wrapper[] = {0xb1, 0x43, 0x62, 0x46};
    for (const unsigned char* magic : {Elf, Fatbin, Wrapper}) {
        bool same = true;
        for (int i = 0; same && i < 4; ++i) same = image[i] == magic[i] && (i == 3 || image[i] != 0);
        if (same) return true;
    }
    return false;
}

CUresult compile(const char* image, std::shared_ptr<Module>& code, std::string& error) {
    if (isBinary(reinterpret_cast<const unsigned char*>(image))) {
        error = "the image is binary code; the software device executes PTX only";
        return CUDA_ERROR_NO_BINARY_FOR_GPU;
    }
    std::string_view text(image, strnlen(image, MostText));
    if (text.starts_with("\xef\xbb\xbf")) {
        error = "the text begins with a byte order mark";
        return CUDA_ERROR_INVALID_PTX;
    }
    std::string_view version = directive(text, ".version");
    if (version.empty()) {
        error = "the image is no PTX: it has no .version directive";
        return CUDA_ERROR_INVALID_IMAGE;
    }
    if (CUresult result = checkVersion(version, error)) return result;
    if (CUresult result = checkTarget(directive(text, ".target"), error)) return result;
    LoadError refused;
    code = load(text, driver().deviceMemory(), refused);
    if (code) return CUDA_SUCCESS;
    error = "line " + std::to_string(refused.line) + ": " + refused.message + "\n    " + refused.text;
    return CUDA_ERROR_INVALID_PTX;
}

CUresult loadModule(Call& call, CUmodule* handle, const void* image, Options options) {
    if (!handle || !image || !options.valid()) return CUDA_ERROR_INVALID_VALUE;
    if (CUresult result = checkUnsafeCall()) return result;
    auto begin = Clock::now();
    auto module = std::make_shared<LoadedModule>();
    module->context = call.context.get();
    std::string error;
    CUresult result = compile(static_cast<const char*>(image), module->code, error);
    options.finish(error, std::chrono::duration<float, std::milli>(Clock::now() - begin).count());
    if (result != CUDA_SUCCESS) return result;
    module->handle = newHandle();
    *handle = toHandle<CUmodule>(module->handle);
    driver().modules.add(module->handle, module);
    return CUDA_SUCCESS;
}

}  // namespace

std::shared_ptr<Function> findFunction(const Context& context, CUfunction handle) {
    auto found = driver().functions.find(reinterpret_cast<std::uint64_t>(handle));
    return found != driver().functions.end() && found->second->module->context == &context ? found->second : nullptr;
}

}  // namespace softcuda::driver

using softcuda::Kernel;
using namespace softcuda::driver;

SOFTCUDA_API CUresult cuModuleLoadData(CUmodule* module, const void* image) {
    SOFTCUDA_CALL(cuModuleLoadData);
    return loadModule(call, module, image, {0, nullptr, nullptr});
}

SOFTCUDA_API CUresult cuModuleLoadDataEx(CUmodule* module, const void* image, unsigned count, int* options, void** values) {
    SOFTCUDA_CALL(cuModuleLoadDataEx);
    return loadModule(call, module, image, {count, options, values});
}

SOFTCUDA_API CUresult cuModuleLoadFatBinary(CUmodule* module, const void* image) {
    SOFTCUDA_CALL(cuModuleLoadFatBinary);
    if (!module || !image) return CUDA_ERROR_INVALID_VALUE;
    return isBinary(static_cast<const unsigned char*>(image)) ? CUDA_ERROR_NO_BINARY_FOR_GPU : CUDA_ERROR_INVALID_IMAGE;
}

SOFTCUDA_API CUresult cuModuleUnload(CUmodule handle) {
    SOFTCUDA_CALL(cuModuleUnload);
    std::shared_ptr<LoadedModule> module = driver().modules.find(handle);
    if (!module || module->context != call.context.get()) return CUDA_ERROR_INVALID_HANDLE;
    if (CUresult result = checkUnsafeCall()) return result;
    if (CUresult result = drainContext(call.lock, *call.context)) return result;
    for (const auto& entry : module->functions) driver().functions.erase(entry.second->handle);
    return driver().modules.remove(handle) ? CUDA_SUCCESS : CUDA_ERROR_INVALID_HANDLE;
}

SOFTCUDA_API CUresult cuModuleGetFunction(CUfunction* handle, CUmodule moduleHandle, const char* name) {
    SOFTCUDA_CALL(cuModuleGetFunction);
    if (!handle || !name) return CUDA_ERROR_INVALID_VALUE;
    std::shared_ptr<LoadedModule> module = driver().modules.find(moduleHandle);
    if (!module) return CUDA_ERROR_INVALID_HANDLE;
    auto known = module->functions.find(std::string_view(name));
    if (known == module->functions.end()) {
        const Kernel* kernel = findKernel(*module->code, name);
        if (!kernel) return CUDA_ERROR_NOT_FOUND;
        auto function = std::make_shared<Function>();
        function->module = module.get();
        function->kernel = kernel;
        function->handle = newHandle();
        int shared = static_cast<int>(info(*kernel).staticShared);
        function->dynamicShared = std::max(0, SharedMemoryPerBlock - shared);
        driver().functions.emplace(function->handle, function);
        known = module->functions.emplace(name, std::move(function)).first;
    }
    *handle = toHandle<CUfunction>(known->second->handle);
    return CUDA_SUCCESS;
}

SOFTCUDA_API CUresult cuModuleGetGlobal_v2(CUdeviceptr* address, std::size_t* bytes, CUmodule handle, const char* name) {
    SOFTCUDA_CALL(cuModuleGetGlobal_v2);
    if (!name || (!address && !bytes)) return CUDA_ERROR_INVALID_VALUE;
    std::shared_ptr<LoadedModule> module = driver().modules.find(handle);
    if (!module) return CUDA_ERROR_INVALID_HANDLE;
    std::uint64_t place = 0, size = 0;
    if (!findGlobal(*module->code, name, place, size)) return CUDA_ERROR_NOT_FOUND;
    if (address) *address = place;
    if (bytes) *bytes = size;
    return CUDA_SUCCESS;
}

SOFTCUDA_API CUresult cuModuleGetFunctionCount(unsigned* count, CUmodule handle) {
    SOFTCUDA_CALL(cuModuleGetFunctionCount);
    std::shared_ptr<LoadedModule> module = driver().modules.find(handle);
    if (!count) return CUDA_ERROR_INVALID_VALUE;
    if (!module) return CUDA_ERROR_INVALID_HANDLE;
    *count = static_cast<unsigned>(kernels(*module->code).size());
    return CUDA_SUCCESS;
}

SOFTCUDA_API CUresult cuModuleGetLoadingMode(int* mode) {
    SOFTCUDA_ENTER(cuModuleGetLoadingMode);
    Lock lock(driver().mutex);
    if (!driver().initialised) return CUDA_ERROR_NOT_INITIALIZED;
    if (!mode) return CUDA_ERROR_INVALID_VALUE;
    *mode = 1;  // eager: modules are compiled as a whole when they are loaded
    return CUDA_SUCCESS;
}
