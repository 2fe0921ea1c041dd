namespace FastNN;

/// <summary>How much of its memory a device has allocated.</summary>
public readonly record struct DeviceMemory
{
    /// <summary>Bytes in use by trainers, predictors and sessions.</summary>
    public long LiveBytes { get; init; }

    /// <summary>Bytes that were released and are kept for the next allocation, until <c>Device.Trim</c>; 0 on a CPU.</summary>
    public long CachedBytes { get; init; }

    /// <summary>The most bytes that were in use at once.</summary>
    public long PeakBytes { get; init; }

    /// <summary>Blocks in use.</summary>
    public int LiveBlocks { get; init; }

    /// <summary>Blocks allocated from the driver, or from the operating system, so far.</summary>
    public long Allocations { get; init; }
}
