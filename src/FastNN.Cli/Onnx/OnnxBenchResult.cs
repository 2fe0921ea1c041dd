namespace FastNN.Cli.Onnx;

/// <summary>What `onnx bench` writes as JSON.</summary>
/// <param name="Gigaflop">10^9 additions and multiplications of a run; 0 where the host has a part in it.</param>
/// <param name="HostReason">The first node that the host runs; null where the engine runs all.</param>
internal sealed record OnnxBenchResult(
    string Model, string Device, IReadOnlyList<string> Inputs, int Runs, double MedianMs, double P90Ms, double MeanMs,
    double ExamplesPerSecond, double Gigaflop, double GigaflopsPerSecond, string? HostReason, double? PeakGigaflops,
    IReadOnlyList<OnnxBenchRow>? Operators);

/// <summary>All steps of one operator on tensors of the same shapes.</summary>
internal sealed record OnnxBenchRow(
    string Operator, string Shapes, long Calls, double Microseconds, double Share, double GigaflopsPerSecond,
    double GigabytesPerSecond, double ShareOfPeak)
{
    public static OnnxBenchRow Of(ProfileRow row) => new(
        row.Operator, row.Shapes, row.Calls, row.Time.TotalMicroseconds / Math.Max(1, row.Calls), row.Share, row.Gigaflops,
        row.GigabytesPerSecond, row.ShareOfPeak);
}
