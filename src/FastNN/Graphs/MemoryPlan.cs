using FastNN.Graphs;

namespace FastNN;

/// <summary>
/// How the tensors between parameters share one arena; parameters, gradients and optimizer state are not part of it.
/// </summary>
public sealed record MemoryPlan
{
    internal MemoryPlan(long peakBytes, long lowerBoundBytes, IReadOnlyList<PlannedBuffer> buffers) =>
        (PeakBytes, LowerBoundBytes, Buffers) = (peakBytes, lowerBoundBytes, buffers);

    /// <summary>Bytes of the arena.</summary>
    public long PeakBytes { get; }

    /// <summary>The largest sum of bytes alive at one step: no plan can be smaller.</summary>
    public long LowerBoundBytes { get; }

    /// <summary>What lies in it.</summary>
    public IReadOnlyList<PlannedBuffer> Buffers { get; }

    internal static MemoryPlan Of(Plan plan) => new(
        plan.PeakBytes, plan.LowerBoundBytes,
        [
            .. plan.Buffers.Select(
                buffer => new PlannedBuffer(buffer.Name, buffer.Bytes, buffer.Offset, buffer.First, buffer.Last))]);
}

/// <summary>One stretch of an arena.</summary>
public sealed record PlannedBuffer
{
    internal PlannedBuffer(string name, long bytes, long offset, int firstStep, int lastStep) =>
        (Name, Bytes, Offset, FirstStep, LastStep) = (name, bytes, offset, firstStep, lastStep);

    /// <summary>The operator that writes it first, or what it is for.</summary>
    public string Name { get; }

    /// <summary>Its size.</summary>
    public long Bytes { get; }

    /// <summary>Where it starts.</summary>
    public long Offset { get; }

    /// <summary>The step that first writes it; steps count the operators forward, then backward.</summary>
    public int FirstStep { get; }

    /// <summary>The last step that reads it.</summary>
    public int LastStep { get; }
}
