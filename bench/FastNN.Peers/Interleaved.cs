using System.Diagnostics;
using System.Runtime;

namespace FastNN.Peers;

/// <summary>
/// Times contenders in turns (ABAB...) in one process, so that whatever else the machine does meets all of them alike,
/// and gives each one's median (or another quantile). Turns, not single steps, alternate: after a parallel region the
/// other side's worker threads go on spinning for milliseconds, so each turn starts with a pause until they sleep and some
/// untimed steps.
/// </summary>
internal sealed class Interleaved(double secondsEach, double quantile, bool cpuTime)
{
    private const int FewestTurns = 7;
    private const double TurnSeconds = 0.025;
    private const double SettleSeconds = 0.003;
    private const double WarmUpSeconds = 0.5;
    private const double MostWarmUpSeconds = 3;

    // The runtime waits 0.1 s after the last call of new code before it compiles what has been called often.
    private const double JitSettleSeconds = 0.3;
    private const int FewestWarmUpSteps = 5;

    // libgomp's idle threads spin 300 000 rounds of `pause` by default: measured 7.5 ms on a Zen 4 with both cores free, up to
    // 16 ms where they had to share them.
    private static readonly TimeSpan s_spinOut = TimeSpan.FromMilliseconds(25);

    // Steps shorter than this are timed several at a time, so that reading the clock (25 ns) does not show.
    private const double ShortestSampleSeconds = 10e-6;

    /// <summary>Microseconds per step of each contender, in the order given.</summary>
    public double[] Time(IReadOnlyList<IContender> contenders)
    {
        var samples = contenders.Select(_ => new List<double>()).ToArray();
        var stepsPerSample = contenders.Select(WarmUp).ToArray();
        var turns = Math.Max(FewestTurns, (int)(secondsEach / TurnSeconds));
        for (var turn = 0; turn < turns; turn++)
        {
            for (var i = 0; i < contenders.Count; i++)
            {
                Thread.Sleep(s_spinOut);
                Turn(contenders[i], stepsPerSample[i], samples[i]);
            }
        }

        return [.. samples.Select(Quantile)];
    }

    /// <summary>
    /// Runs until the JIT has compiled nothing for a while; returns the steps per sample. Its final code comes after 30 calls,
    /// and after 30 more of an instrumented version. Until then its thread competes with those of a step on all processors: in
    /// half a second of lstm-256 behind the shortest warm-up it compiled 184 methods for 96 ms.
    /// </summary>
    private int WarmUp(IContender contender)
    {
        var steps = 0;
        var compiled = JitInfo.GetCompiledMethodCount();
        double start = Now(), settled = start;
        while (steps < FewestWarmUpSteps || Now() - start < WarmUpSeconds
            || (Now() - settled < JitSettleSeconds && Now() - start < MostWarmUpSeconds))
        {
            contender.Step();
            steps++;
            if (JitInfo.GetCompiledMethodCount() is var count && count != compiled)
            {
                (compiled, settled) = (count, Now());
            }
        }

        Thread.Sleep(s_spinOut);
        var perStep = (Now() - start) / steps;
        return Math.Clamp((int)(ShortestSampleSeconds / perStep), 1, 100);
    }

    private void Turn(IContender contender, int stepsPerSample, List<double> samples)
    {
        var start = Now();
        do
        {
            contender.Step();
        }
        while (Now() - start < SettleSeconds);

        start = Now();
        do
        {
            var sample = Now();
            for (var step = 0; step < stepsPerSample; step++)
            {
                contender.Step();
            }

            samples.Add((Now() - sample) * 1e6 / stepsPerSample);
        }
        while (Now() - start < TurnSeconds);
    }

    private double Now() =>
        cpuTime ? ThreadClock.Seconds() : Stopwatch.GetTimestamp() / (double)Stopwatch.Frequency;

    private double Quantile(List<double> values)
    {
        values.Sort();
        var place = quantile * (values.Count - 1);
        var below = (int)place;
        var above = Math.Min(below + 1, values.Count - 1);
        return values[below] + (place - below) * (values[above] - values[below]);
    }
}
