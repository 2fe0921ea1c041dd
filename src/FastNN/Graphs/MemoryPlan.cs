using FastNN.Graphs;

namespace FastNN;

/// <summary>
/// How the tensors between parameters share one arena; parameters, gradients and optimizer state are not part of it.
/// </summary>
/// <param name="PeakBytes">Bytes of the arena.</param>
/// <param name="LowerBoundBytes">The largest sum of bytes alive at one step: no plan can be smaller.</param>
/// <param name="Buffers">What lies in it.</param>
public sealed record MemoryPlan(long PeakBytes, long LowerBoundBytes, IReadOnlyList<PlannedBuffer> Buffers)
{
    internal static MemoryPlan Of(Plan plan) => new(
        plan.PeakBytes, plan.LowerBoundBytes,
        [.. plan.Buffers.Select(buffer => new PlannedBuffer(buffer.Name, buffer.Bytes, buffer.Offset, buffer.First, buffer.Last))]);
}

/// <summary>One stretch of an arena.</summary>
/// <param name="Name">The operator that writes it first, or what it is for.</param>
/// <param name="Bytes">Its size.</param>
/// <param name="Offset">Where it starts.</param>
/// <param name="FirstStep">The step that first writes it; steps count the operators forward, then backward.</param>
/// <param name="LastStep">The last step that reads it.</param>
public sealed record PlannedBuffer(string Name, long Bytes, long Offset, int FirstStep, int LastStep);
