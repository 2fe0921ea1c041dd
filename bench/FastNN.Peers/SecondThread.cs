using System.Globalization;

namespace FastNN.Peers;

/// <summary>
/// What FastNN gains by a second thread: a case with one and with two, in turns. Wanted is that none is slower on two, and that
/// what takes longer than 0.3 ms gains at least 1.6x.
/// </summary>
internal sealed class SecondThread(Interleaved clock)
{
    private const double LongMicroseconds = 300;
    private const double WantedGain = 1.6;

    public static void WriteHeader(TextWriter output)
    {
        output.WriteLine("| case | phase | one thread, us | two threads, us | gain | |");
        output.WriteLine("|---|---|---|---|---|---|");
    }

    /// <summary>Times a case and writes its row; the gain.</summary>
    public Gain Run(Case @case, TextWriter output)
    {
        using IContender one = FastNNContenders.Create(@case, 1), two = FastNNContenders.Create(@case, 2);
        double[] times = clock.Time([one, two]);
        var gain = new Gain(@case, times[0], times[1]);
        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"| `{@case.Name}` | {@case.Phase} | {times[0]:#,0.0} | {times[1]:#,0.0} | {gain.Ratio:0.00}x | {gain.Verdict} |"));
        return gain;
    }

    public static void WriteSummary(TextWriter output, IReadOnlyList<Gain> gains)
    {
        double mean = Math.Exp(gains.Average(gain => Math.Log(gain.Ratio)));
        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{gains.Count} cases, geometric mean of the gains {mean:0.00}x; {gains.Count(gain => gain.Ratio < 1)} slower on "
            + $"two, {gains.Count(gain => gain.IsLong && gain.Ratio < WantedGain)} of {gains.Count(gain => gain.IsLong)} "
            + $"over 0.3 ms below {WantedGain}x."));
    }

    /// <summary>A case's times.</summary>
    internal sealed record Gain(Case Case, double OneMicroseconds, double TwoMicroseconds)
    {
        public double Ratio => OneMicroseconds / TwoMicroseconds;

        public bool IsLong => OneMicroseconds > LongMicroseconds;

        public string Verdict => Ratio < 1 ? "slower"
            : IsLong && Ratio < WantedGain ? string.Create(CultureInfo.InvariantCulture, $"below {WantedGain}x")
            : "";
    }
}
