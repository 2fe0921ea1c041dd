using System.Diagnostics;
using FastNN.Data;
using FastNN.Inference.Profiling;

namespace FastNN.Cli;

/// <summary>
/// Training steps on the CPU, one in eight measured operator by operator: the cost of measuring shows beside the times, and a
/// run that is profiled takes as long as one that is not.
/// </summary>
/// <param name="Profile">Where the time of the measured steps went, by the medians of each operator: a busy machine would show in
/// sums.</param>
/// <param name="Steps">Measured steps; seven times as many were not.</param>
/// <param name="PlainSeconds">The median of the steps that were not measured operator by operator.</param>
/// <param name="MeasuredSeconds">The median of those that were.</param>
internal sealed record CpuProfile(SessionProfile Profile, int Steps, double PlainSeconds, double MeasuredSeconds)
{
    /// <summary>The runtime compiles what runs often once more, in the background, after some tenths of a second.</summary>
    private const int WarmUp = 6;
    private const double WarmUpSeconds = 1;

    /// <summary>Seconds to measure for where nobody says how many steps, and the bounds of those.</summary>
    private const double Seconds = 4;
    private const int LeastSteps = 5, MostSteps = 5000;

    /// <summary>One step in so many is measured.</summary>
    private const int Every = 8;

    /// <summary>Steps that were not measured operator by operator.</summary>
    public int PlainSteps => Steps * (Every - 1);

    /// <summary>What measuring adds to a step, as a share of it.</summary>
    public double Overhead => (MeasuredSeconds / PlainSeconds) - 1;

    /// <summary>What it adds to the run, in which one step in eight is measured.</summary>
    public double RunOverhead => Overhead / Every;

    /// <summary>
    /// What of the measured steps is outside of operators: the batch that is copied in and the loss that is read.
    /// </summary>
    public double OutsideShare => Math.Max(0, 1 - (Profile.Time.TotalSeconds / Steps / MeasuredSeconds));

    /// <summary>A pass's share of the measured steps.</summary>
    public double ShareOf(ProfilePass pass) =>
        (1 - OutsideShare) * Profile.Rows.Where(row => row.Pass == pass).Sum(row => row.Share);

    /// <summary>Runs and measures.</summary>
    /// <param name="trainer">Makes the steps.</param>
    /// <param name="device">Where it makes them.</param>
    /// <param name="batch">What each step is made on.</param>
    /// <param name="wanted">Measured steps; null for as many as some seconds allow.</param>
    /// <param name="cancellation">Ends it between two steps.</param>
    public static CpuProfile Measure(
        Trainer trainer, Device device, in Batch batch, int? wanted, CancellationToken cancellation)
    {
        double peak = device.Implementation.MeasurePeak();
        var recorder = new ProfileRecorder();
        var warmUp = new ProfileRecorder();
        double fastest = double.PositiveInfinity;
        long begun = Stopwatch.GetTimestamp();
        for (int i = 0; i < WarmUp || Stopwatch.GetElapsedTime(begun).TotalSeconds < WarmUpSeconds; i++)
        {
            cancellation.ThrowIfCancellationRequested();
            fastest = Math.Min(fastest, Time(trainer, batch, i % 2 == 0 ? warmUp : null));
        }

        int steps = wanted ?? (int)Math.Clamp(Seconds / Every / fastest, LeastSteps, MostSteps);
        double[] plain = new double[steps * (Every - 1)], measured = new double[steps];
        for (int i = 0, unmeasured = 0; i < steps; i++)
        {
            // In turns, and the place among the eight changes: a machine that slows down slows both down.
            for (int turn = 0; turn < Every; turn++)
            {
                cancellation.ThrowIfCancellationRequested();
                if (turn == i % Every)
                {
                    measured[i] = Time(trainer, batch, recorder);
                }
                else
                {
                    plain[unmeasured++] = Time(trainer, batch, null);
                }
            }
        }

        trainer.Observer = null;
        return new CpuProfile(
            recorder.ToProfile(device.Description, peak, medians: true), steps, Median(plain), Median(measured));
    }

    public static void Step(Trainer trainer, in Batch batch) =>
        _ = batch.Labels.IsEmpty
            ? trainer.TrainBatch(batch.Features, batch.Targets)
            : trainer.TrainBatch(batch.Features, batch.Labels);

    private static double Time(Trainer trainer, in Batch batch, ProfileRecorder? recorder)
    {
        trainer.Observer = recorder;
        long start = Stopwatch.GetTimestamp();
        Step(trainer, batch);
        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    private static double Median(double[] values)
    {
        double[] sorted = [.. values.Order()];
        return (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }
}
