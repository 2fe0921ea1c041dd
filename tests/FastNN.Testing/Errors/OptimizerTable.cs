namespace FastNN.Testing;

/// <summary>
/// A right use of every public optimizer and of what belongs to it. Those that are not refused give the numbers of some steps,
/// which must be numbers, and record their update where they have one.
/// </summary>
internal static class OptimizerTable
{
    private static readonly long[] Steps = [1, 2, 3, 1000, 1L << 31, 1L << 53];

    public static IReadOnlyList<CallRow> Rows { get; } =
    [
        Row<Sgd>(0.1f, 0.9f),
        Row<Sgd>(0.1f, 0.9f, 0f, 0.1f, true),
        Row<Adam>(1e-3f, 0.9f, 0.999f, 1e-8f, 0.1f, true),
        Row<AdamW>(),
        Row<NAdam>(),
        Row<RAdam>(),
        Row<Adamax>(),
        Row<Adagrad>(),
        Row<Adadelta>(),
        Row<RmsProp>(0.01f, 0.99f, 1e-8f, 0.1f, 0.9f, true),
        Row<Lion>(),
        Row<Lamb>(),
        Row<Muon>(),
        ObjectRow.Of(typeof(Lbfgs), [1.0, 20, 25], [], (optimizer, _) => Minimized((Lbfgs)optimizer)),
        ObjectRow.Of(
            typeof(ParameterGroup), [(Func<Parameter, bool>)(_ => true)], [], (group, _) => group, ("WeightDecay", 0.1f),
            ("LearningRateScale", 0.5f)),
        CallRow.Of(typeof(WeightAverage), nameof(WeightAverage.Exponential), [0.9f, 3L], Used),
        CallRow.Of(typeof(WeightAverage), nameof(WeightAverage.Equal), [3L, 2L], Used),
        CallRow.Of(typeof(Regularizer), nameof(Regularizer.L1), [0.1f], regularizer => regularizer),
        CallRow.Of(typeof(Regularizer), nameof(Regularizer.L2), [0.1f], regularizer => regularizer),
        CallRow.Of(typeof(Regularizer), nameof(Regularizer.L1L2), [0.1f, 0.2f], regularizer => regularizer),
    ];

    private static CallRow Row<T>(params object?[] arguments)
        where T : Optimizer => ObjectRow.Of(
            typeof(T), arguments, [], (optimizer, _) => Used((Optimizer)optimizer), ("ClipNorm", 1f), ("ClipValue", 0.5f),
            ("Schedule", Schedule.Constant(0.1f)), ("MomentumSchedule", Momentum<T>()),
            ("Groups", new[] { new ParameterGroup(_ => true) }), ("Average", WeightAverage.Equal()));

    private static Schedule? Momentum<T>() =>
        typeof(T) == typeof(Sgd) || typeof(T).IsAssignableTo(typeof(Adam)) ? Schedule.Constant(0.9f) : null;

    private static Optimizer Used(Optimizer optimizer)
    {
        var scalars = new float[16];
        foreach (long step in Steps)
        {
            optimizer.Advance(step);
            optimizer.WriteScalars(scalars, step, optimizer.LearningRate, optimizer.WeightDecay);
            if (Array.Exists(scalars, float.IsNaN))
            {
                throw new InvalidOperationException($"step {step}: not a number among {string.Join(", ", scalars)}");
            }
        }

        return optimizer;
    }

    private static object Used(object average)
    {
        foreach (long step in Steps)
        {
            if (((WeightAverage)average).Share(step) is not (>= 0 and <= 1) and var share)
            {
                throw new InvalidOperationException($"step {step}: the share {share}");
            }
        }

        return average;
    }

    private static LbfgsResult Minimized(Lbfgs optimizer)
    {
        double[] at = [1, -2];
        return optimizer.Minimize(at, (x, slope) =>
        {
            (slope[0], slope[1]) = (2 * x[0], 2 * x[1]);
            return (x[0] * x[0]) + (x[1] * x[1]);
        });
    }
}
