using System.Globalization;
using System.Text;
using System.Text.Json;
using FastNN.Inference.Profiling;

namespace FastNN;

/// <summary>
/// Where the time of a session's runs, or of training steps, went: a table by operator and shapes, and every step for a trace.
/// </summary>
public sealed class SessionProfile
{
    private readonly ProfileEvent[] _events;

    internal SessionProfile(string device, double peak, IReadOnlyList<ProfileRow> rows, ProfileEvent[] events)
    {
        Device = device;
        PeakGigaflops = peak / 1e9;
        Rows = rows;
        _events = events;
    }

    /// <summary>What ran it, in one line.</summary>
    public string Device { get; }

    /// <summary>What all threads of the device reach at most, in 10^9 floating-point operations per second: measured with
    /// multiply-additions on registers.</summary>
    public double PeakGigaflops { get; }

    /// <summary>The operators, those that took most time first. Steps with the same operator and shapes are one row.</summary>
    public IReadOnlyList<ProfileRow> Rows { get; }

    /// <summary>The time of all steps of all runs.</summary>
    public TimeSpan Time => Rows.Aggregate(TimeSpan.Zero, (sum, row) => sum + row.Time);

    /// <summary>Writes every step in the format of Chrome's about:tracing and of Perfetto. Of very long measurements it has the
    /// first million steps.</summary>
    /// <param name="stream">Receives UTF-8 JSON; stays open.</param>
    public void WriteTrace(Stream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        using var json = new Utf8JsonWriter(stream);
        json.WriteStartObject();
        json.WriteString("displayTimeUnit", "ns");
        json.WriteStartArray("traceEvents");
        foreach (ProfileEvent step in _events)
        {
            json.WriteStartObject();
            json.WriteString("name", step.Name);
            json.WriteString("cat", CategoryOf(step.Pass));
            json.WriteString("ph", "X");
            json.WriteNumber("ts", step.Start);
            json.WriteNumber("dur", step.Duration);
            json.WriteNumber("pid", 1);
            json.WriteNumber("tid", step.Thread);
            json.WriteStartObject("args");
            json.WriteString("shapes", step.Shapes);
            json.WriteEndObject();
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    /// <summary>The table as text; operations and bytes are those of one call.</summary>
    public override string ToString()
    {
        var text = new StringBuilder();
        int name = Math.Max(8, Rows.Select(row => row.Operator.Length).DefaultIfEmpty().Max());
        text.Append(CultureInfo.InvariantCulture,
            $"{"operator".PadRight(name)}  {"calls",7}  {"us/call",10}  {"share",6}  {"MFLOP",9}  {"MB",8}  {"GFLOP/s",9}  {"GB/s",7}  {"of peak",7}  shapes\n");
        foreach (ProfileRow row in Rows)
        {
            text.Append(CultureInfo.InvariantCulture,
                $"{row.Operator.PadRight(name)}  {row.Calls,7}  {row.Time.TotalMicroseconds / Math.Max(1, row.Calls),10:F2}  {row.Share,6:P1}  {row.FlopsPerCall / 1e6,9:F3}  {row.BytesPerCall / 1e6,8:F3}  {row.Gigaflops,9:F2}  {row.GigabytesPerSecond,7:F2}  {row.ShareOfPeak,7:P1}  {row.Shapes}\n");
        }

        return text.ToString();
    }

    private static string CategoryOf(ProfilePass pass) => pass switch
    {
        ProfilePass.Forward => "forward",
        ProfilePass.Backward => "backward",
        _ => "update",
    };
}

/// <summary>All steps of one operator on tensors of the same shapes.</summary>
/// <param name="Operator">The engine's operator, with the activation that is fused into it.</param>
/// <param name="Shapes">Of inputs and outputs.</param>
/// <param name="Calls">How often it ran.</param>
/// <param name="Time">The time of all calls.</param>
/// <param name="Share">Of the time of all operators, 0 to 1.</param>
/// <param name="Gigaflops">10^9 additions and multiplications per second, counted as a direct computation has them.</param>
/// <param name="GigabytesPerSecond">10^9 bytes of inputs and outputs per second.</param>
/// <param name="ShareOfPeak">Of <see cref="SessionProfile.PeakGigaflops"/>; above 1 where an algorithm needs fewer operations
/// than
/// a direct computation.</param>
public sealed record ProfileRow(
    string Operator, string Shapes, long Calls, TimeSpan Time, double Share, double Gigaflops, double GigabytesPerSecond,
    double ShareOfPeak)
{
    /// <summary>Which part of a training step it belongs to; <see cref="ProfilePass.Forward"/> in inference.</summary>
    public ProfilePass Pass { get; init; }

    /// <summary>Additions and multiplications of one call, counted as a direct computation has them; 0 where they are not
    /// counted.</summary>
    public double FlopsPerCall { get; init; }

    /// <summary>Bytes of one call: each input and output once; of a backward pass the inputs and gradients.</summary>
    public long BytesPerCall { get; init; }
}
