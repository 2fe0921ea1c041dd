namespace FastNN.Cli.Running;

/// <summary>What `plan` writes as JSON.</summary>
internal sealed record PlanResult(
    string Recipe, int Batch, long PlanPeakBytes, long PlanLowerBoundBytes, double Ratio,
    IReadOnlyList<PlannedBufferResult> Buffers)
{
    public static PlanResult Of(string recipe, int batch, MemoryPlan plan) => new(
        recipe, batch, plan.PeakBytes, plan.LowerBoundBytes,
        plan.LowerBoundBytes == 0 ? 1 : (double)plan.PeakBytes / plan.LowerBoundBytes,
        [
            .. plan.Buffers.Select(
                buffer => new PlannedBufferResult(buffer.Name, buffer.Bytes, buffer.Offset, buffer.FirstStep, buffer.LastStep))]);
}

/// <summary>One buffer of a plan, from the first step that writes it to the last that reads it.</summary>
internal sealed record PlannedBufferResult(string Name, long Bytes, long Offset, int First, int Last);
