namespace ManagedCuda.BasicTypes;

[Flags]
internal enum CUInitializationFlags : uint
{
    None = 0,
}

[Flags]
internal enum CtxEnablePeerAccessFlags : uint
{
    None = 0,
}

internal enum CUDeviceAttribute
{
    MaxThreadsPerBlock = 1,
    MaxBlockDimX = 2,
    MaxBlockDimY = 3,
    MaxBlockDimZ = 4,
    MaxGridDimX = 5,
    MaxGridDimY = 6,
    MaxGridDimZ = 7,
    MaxSharedMemoryPerBlock = 8,
    TotalConstantMemory = 9,
    WarpSize = 10,
    MaxRegistersPerBlock = 12,
    ClockRate = 13,
    MultiProcessorCount = 16,
    Integrated = 18,
    ConcurrentKernels = 31,
    ECCEnabled = 32,
    PCIBusID = 33,
    PCIDeviceID = 34,
    MemoryClockRate = 36,
    GlobalMemoryBusWidth = 37,
    L2CacheSize = 38,
    MaxThreadsPerMultiProcessor = 39,
    AsyncEngineCount = 40,
    UnifiedAddressing = 41,
    ComputeCapabilityMajor = 75,
    ComputeCapabilityMinor = 76,
    MaxSharedMemoryPerMultiprocessor = 81,
    MaxRegistersPerMultiprocessor = 82,
    ManagedMemory = 83,
    CooperativeLaunch = 95,
    MaxSharedMemoryPerBlockOptin = 97,
    MaxBlocksPerMultiProcessor = 106,
    ReservedSharedMemoryPerBlock = 111,
    MemoryPoolsSupported = 115,
    ClusterLaunch = 120,
}

internal enum CUFunctionAttribute
{
    MaxThreadsPerBlock = 0,
    SharedSizeBytes = 1,
    ConstSizeBytes = 2,
    LocalSizeBytes = 3,
    NumRegs = 4,
    PTXVersion = 5,
    BinaryVersion = 6,
    CacheModeCA = 7,
    MaxDynamicSharedSizeBytes = 8,
    PreferredSharedMemoryCarveout = 9,
}

internal enum CUJITOption
{
    MaxRegisters = 0,
    ThreadsPerBlock = 1,
    WallTime = 2,
    InfoLogBuffer = 3,
    InfoLogBufferSizeBytes = 4,
    ErrorLogBuffer = 5,
    ErrorLogBufferSizeBytes = 6,
    OptimizationLevel = 7,
    TargetFromContext = 8,
    Target = 9,
    FallbackStrategy = 10,
    GenerateDebugInfo = 11,
    LogVerbose = 12,
    GenerateLineInfo = 13,
    JITCacheMode = 14,
    FastCompile = 16,
    PositionIndependentCode = 30,
    MinCTAPerSM = 31,
    MaxThreadsPerBlock = 32,
    OverrideDirectiveValues = 33,
}

[Flags]
internal enum CUStreamFlags : uint
{
    Default = 0,
    NonBlocking = 1,
}

[Flags]
internal enum CUEventFlags
{
    Default = 0,
    BlockingSync = 1,
    DisableTiming = 2,
    InterProcess = 4,
}

[Flags]
internal enum CUMemHostAllocFlags
{
    None = 0,
    Portable = 1,
    DeviceMap = 2,
    WriteCombined = 4,
}

internal enum CUstreamCaptureMode
{
    Global = 0,

    /// <summary>C's THREAD_LOCAL.</summary>
    Local = 1,
    Relaxed = 2,
}

internal enum CUstreamCaptureStatus
{
    None = 0,
    Active = 1,
    Invalidated = 2,
}

[Flags]
internal enum CUgraphInstantiate_flags : ulong
{
    None = 0,
    AutoFreeOnLaunch = 1,
    Upload = 2,
    DeviceLaunch = 4,
    UseNodePriority = 8,
}

internal enum CUmemPool_attribute
{
    ReuseFollowEventDependencies = 1,
    ReuseAllowOpportunistic = 2,
    ReuseAllowInternalDependencies = 3,
    ReleaseThreshold = 4,
    ReservedMemCurrent = 5,
    ReservedMemHigh = 6,
    UsedMemCurrent = 7,
    UsedMemHigh = 8,
}

internal enum CUgraphExecUpdateResult
{
    Success = 0,
    ErrorAttributesChanged = 8,
}
