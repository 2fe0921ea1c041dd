using System.Reflection;

namespace FastNN.Testing;

/// <summary>
/// A right use of every schedule. Those that are not refused give finite rates of at least 0 for every step, however late.
/// </summary>
internal static class ScheduleTable
{
    private static readonly long[] Steps =
        [-1, 0, 1, 2, 3, 9, 10, 11, 1000, int.MaxValue, 1L << 53, long.MaxValue - 1, long.MaxValue];

    private static readonly Schedule Falling = Schedule.Linear(0.1f, 10);

    public static IReadOnlyList<CallRow> Rows { get; } =
    [
        Row(nameof(Schedule.Constant), 0.1f),
        Row(nameof(Schedule.Cosine), 0.1f, 10L, 0.01f),
        Row(nameof(Schedule.Linear), 0.1f, 10L, 0.01f),
        Row(nameof(Schedule.Polynomial), 0.1f, 10L, 2f, 0.01f),
        Row(nameof(Schedule.Decay), 0.1f, 0.9f, 3L),
        Row(nameof(Schedule.Exponential), 0.1f, 0.9f),
        Row(nameof(Schedule.CosineRestarts), 0.1f, 10L, 2, 0.01f),
        Row(nameof(Schedule.OneCycle), 0.1f, 10L),
        Row(nameof(Schedule.OneCycle), 0.1f, 10L, 0.3f, Annealing.Linear, 25f, 1e4f, true),
        Row(nameof(Schedule.OneCycleMomentum), 10L),
        Row(nameof(Schedule.Cyclic), 0.1f, 0.2f, 3L, 4L, CycleMode.Exponential, 0.9f),
        Row(nameof(Schedule.Cyclic), 0.1f, 0.2f, 3L, 0L, CycleMode.Halving),
        Row(nameof(Schedule.From), (Func<long, float>)(step => 1f / (Math.Max(step, 0) + 1))),
        CallRow.Of(
            "Schedule.MultiStep", [0.1f, 0.5f, new[] { 3L, 7L }],
            a => Rated(Schedule.MultiStep((float)a[0]!, (float)a[1]!, (long[])a[2]!))),
        CallRow.Of(
            typeof(Schedule), nameof(Schedule.Warmup), [5L], warmup => Rated(((ScheduleWarmup)warmup).Then(Falling))),
        CallRow.Of("Schedule.Then", [Falling], a => Rated(Schedule.Warmup(5).Then((Schedule)a[0]!))),
        CallRow.Of("Schedule.For", [5L, Falling], a => Rated(Falling.For((long)a[0]!, (Schedule)a[1]!))),
        CallRow.Of("Schedule.Times", [Falling], a => Rated(Falling.Times((Schedule)a[0]!))),
        CallRow.Of("Schedule.First", [5], a => Falling.First((int)a[0]!)),
    ];

    /// <summary>The public ways to a schedule.</summary>
    public static IReadOnlyList<MethodInfo> Factories { get; } =
    [
        .. new[] { typeof(Schedule), typeof(ScheduleWarmup) }.SelectMany(type => type.GetMethods(
            BindingFlags.Public | BindingFlags.Static | BindingFlags.Instance | BindingFlags.DeclaredOnly))
            .Where(method => method.ReturnType != typeof(float) && method.ReturnType != typeof(string)),
    ];

    private static CallRow Row(string name, params object?[] arguments) =>
        CallRow.Of(typeof(Schedule), name, arguments, schedule => Rated((Schedule)schedule));

    private static Schedule Rated(Schedule schedule)
    {
        foreach (long step in Steps)
        {
            float rate = schedule.At(step);
            if (!float.IsFinite(rate) || rate < 0)
            {
                throw new InvalidOperationException($"{schedule}: the rate {rate} at step {step}");
            }
        }

        return schedule;
    }
}
