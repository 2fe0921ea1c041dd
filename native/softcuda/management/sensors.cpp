// The part of NVIDIA's management library (NVML) that reads sensors, for the software device's one GPU, which has none: a test sets what
// they show.
#include <cstring>
#include <mutex>

#define EXPORT extern "C" __attribute__((visibility("default")))

namespace {

enum Status { Success = 0, Uninitialized = 1, InvalidArgument = 2, NotSupported = 3, NotFound = 6 };

constexpr char Place[] = "00000000:01:00.0";  // what the driver tells of its device's place: domain 0, bus 1, device 0

struct Sensors {
    std::mutex gate;
    int users = 0;
    int status = Success;
    unsigned utilization = 0;
    unsigned memory = 0;
    unsigned celsius = 0;
    unsigned milliwatts = 0;
};

Sensors& sensors() {
    static Sensors all;
    return all;
}

int read(const void* device, unsigned* to, void (*copy)(const Sensors&, unsigned*)) {
    std::lock_guard<std::mutex> lock(sensors().gate);
    if (sensors().users == 0) return Uninitialized;
    if (device != &sensors() || to == nullptr) return InvalidArgument;
    if (sensors().status == Success) copy(sensors(), to);
    return sensors().status;
}

}  // namespace

/* What the sensors show from now on, and the status of every reading; 3 is that of a GPU that has no such sensor. */
EXPORT void softcudaSetSensors(unsigned utilization, unsigned memory, unsigned celsius, unsigned milliwatts, int status) {
    std::lock_guard<std::mutex> lock(sensors().gate);
    sensors().utilization = utilization;
    sensors().memory = memory;
    sensors().celsius = celsius;
    sensors().milliwatts = milliwatts;
    sensors().status = status;
}

EXPORT int nvmlInit_v2() {
    std::lock_guard<std::mutex> lock(sensors().gate);
    ++sensors().users;
    return Success;
}

EXPORT int nvmlDeviceGetHandleByPciBusId_v2(const char* place, void** device) {
    std::lock_guard<std::mutex> lock(sensors().gate);
    if (sensors().users == 0) return Uninitialized;
    if (place == nullptr || device == nullptr) return InvalidArgument;
    if (std::strcmp(place, Place) != 0) return NotFound;
    *device = &sensors();
    return Success;
}

EXPORT int nvmlDeviceGetUtilizationRates(void* device, unsigned* shares) {
    return read(device, shares, [](const Sensors& all, unsigned* to) {
        to[0] = all.utilization;
        to[1] = all.memory;
    });
}

EXPORT int nvmlDeviceGetTemperature(void* device, int sensor, unsigned* celsius) {
    if (sensor != 0) return InvalidArgument;
    return read(device, celsius, [](const Sensors& all, unsigned* to) { *to = all.celsius; });
}

EXPORT int nvmlDeviceGetPowerUsage(void* device, unsigned* milliwatts) {
    return read(device, milliwatts, [](const Sensors& all, unsigned* to) { *to = all.milliwatts; });
}
