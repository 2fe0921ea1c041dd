namespace FastNN;

/// <summary>What a device has taken of its memory.</summary>
/// <param name="LiveBytes">In use by trainers, predictors and plans.</param>
/// <param name="CachedBytes">Given back by them and kept for the next, until <c>Device.Trim</c>; 0 on a CPU.</param>
/// <param name="PeakBytes">The most that was in use at once.</param>
/// <param name="LiveBlocks">Blocks in use.</param>
/// <param name="Allocations">Blocks asked of the driver, or of the system, so far.</param>
public readonly record struct DeviceMemory(long LiveBytes, long CachedBytes, long PeakBytes, int LiveBlocks, long Allocations);
