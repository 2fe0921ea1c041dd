using System.Globalization;

namespace FastNN.Testing;

/// <summary>What `./test.sh --quick` leaves out. Everything runs unless it asks for less.</summary>
internal static class Quick
{
    /// <summary>FASTNN_QUICK=1: expensive repetitions of what other tests show are left out.</summary>
    public static bool IsOn { get; } = Environment.GetEnvironmentVariable("FASTNN_QUICK") == "1";

    /// <summary>FASTNN_EVERY_NTH_CASE=n: of the operators' cases only the first, the (n + 1)th, and so on.</summary>
    private static int Nth { get; } =
        int.TryParse(Environment.GetEnvironmentVariable("FASTNN_EVERY_NTH_CASE"), CultureInfo.InvariantCulture, out int n)
            ? Math.Max(1, n)
            : 1;

    /// <summary>All of them, or the sample.</summary>
    public static IEnumerable<T> Sample<T>(IEnumerable<T> cases) => OpCases.Sample(cases, Nth);

    /// <summary>How often to try a property that is tried <paramref name="times"/> times in a whole run.</summary>
    public static int Times(int times) => IsOn ? Math.Max(1, times / 5) : times;

    /// <summary>Ends the test as skipped in a quick run.</summary>
    public static void Skip(string what)
    {
        if (IsOn)
        {
            Assert.Ignore($"./test.sh --quick leaves out {what}");
        }
    }
}
