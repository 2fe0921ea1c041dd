namespace FastNN.Cli.Running;

/// <summary>What `profile` on the CPU writes as JSON. Seconds, operations and bytes of operators are those of one
/// step, the seconds by medians.</summary>
internal sealed record CpuProfileResult(
    string Recipe, int Batch, string Device, int Steps, double StepSeconds, double MeasuredStepSeconds, double Overhead,
    double OutsideShare, double PeakGigaflops, IReadOnlyList<OperatorResult> Operators)
{
    public static CpuProfileResult Of(string recipe, int batch, CpuProfile profile) => new(
        recipe, batch, profile.Profile.Device, profile.Steps, profile.PlainSeconds, profile.MeasuredSeconds, profile.Overhead,
        profile.OutsideShare, profile.Profile.PeakGigaflops,
        [.. profile.Profile.Rows.Select(row => OperatorResult.Of(row, profile.Steps))]);
}

/// <summary>All calls of one operator on tensors of the same shapes, in one step.</summary>
internal sealed record OperatorResult(
    string Pass, string Operator, string Shapes, double Calls, double Seconds, double Share, double Flops, double Bytes,
    double Gigaflops, double GigabytesPerSecond, double ShareOfPeak)
{
    public static OperatorResult Of(ProfileRow row, int steps)
    {
        double calls = (double)row.Calls / steps;
        return new OperatorResult(
            row.Pass.ToString().ToLowerInvariant(), row.Operator, row.Shapes, calls, row.Time.TotalSeconds / steps, row.Share,
            calls * row.FlopsPerCall, calls * row.BytesPerCall, row.Gigaflops, row.GigabytesPerSecond, row.ShareOfPeak);
    }
}
