using FastNN.Functions;
using FastNN.Tensors;

namespace FastNN.Tests.Cpu;

/// <summary>Losses of single elements, and penalties.</summary>
public sealed class LossesTests
{
    private delegate void Forward(long? divisor, Tensor loss);

    private delegate void Backward(long? divisor, Tensor dLoss, Tensor dX, bool accumulate);

    [Test]
    public void Losses_of_single_elements(
        [ValueSource(nameof(Rows))] string name, [ValueSource(typeof(DeviceScope), nameof(DeviceScope.Sizes))] int rows,
        [Values(1, 3)] int columns, [Values] bool weighted)
    {
        using var scope = new DeviceScope();
        LossFunction loss = FunctionTable.Losses.Single(row => row.TextName == name);
        Scalars scalars = loss.Info.Defaults;
        int size = rows * columns;
        double[] x = Draw(size, 1, loss.Info.Samples.From, loss.Info.Samples.To), w = Draw(size, 3, 0, 1),
        p = Draw(columns, 4, 0, 1);
        double[] t = loss.Info.Targets switch
        {
            LossTargets.Numbers => Draw(size, 2, -3, 3),
            LossTargets.Probabilities => Draw(size, 2, 0, 1),
            LossTargets.LogProbabilities => Draw(size, 2, -5, 0),
            _ => [.. Draw(size, 2, -1, 1).Select(value => value < 0 ? -1.0 : 1.0)],
        };
        Tensor input = scope.Floats(x, rows, columns), targets = scope.Floats(t);
        Tensor? weights = weighted ? scope.Floats(w) : null, positiveWeights = loss.TakesPositiveWeight ? scope.Floats(p) : null;
        double[] Each(Func<LossFunction, Scalars, double, double, double, double> f) =>
            [.. x.Select((value, i) => (weighted ? w[i] : 1) * f(loss, scalars, value, t[i], p[i % columns]))];
        Compare(
            scope, Each(ElementLossReference.Value), Each(ElementLossReference.Slope),
            (divisor, result) => scope.Device.Losses.ElementLossForward(
                loss, scalars, divisor, input, targets, weights, positiveWeights, result),
            (divisor, dLoss, dX, accumulate) =>
                scope.Device.Losses.ElementLossBackward(
                    loss, scalars, divisor, input, targets, weights, positiveWeights, dLoss, dX, accumulate));
    }

    [Test]
    public void Binary_cross_entropy_clamps_certain_mistakes()
    {
        using var scope = new DeviceScope(1);
        Tensor x = scope.Floats([0, 1, 0, 1]), t = scope.Floats([0, 1, 1, 0]), loss = scope.Zeros(4);
        scope.Device.Losses.ElementLossForward(LossFunction.Of<ProbabilityLoss>(), default, null, x, t, null, null, loss);
        Assert.That(DeviceScope.Read(loss), Is.EqualTo(new float[] { 0, 0, 100, 100 }));
        Tensor logits = scope.Floats([-1000, 1000, -1000, 1000]);
        scope.Device.Losses.ElementLossForward(LossFunction.Of<LogitLoss>(), default, null, logits, t, null, null, loss);
        Assert.That(DeviceScope.Read(loss), Is.EqualTo(new float[] { 0, 0, 1000, 1000 }));
    }

    [Test]
    public void Penalty([ValueSource(typeof(DeviceScope), nameof(DeviceScope.Sizes))] int size)
    {
        using var scope = new DeviceScope();
        double[] x = DeviceScope.Random(size, 1);
        x[0] = 0;
        Tensor input = scope.Floats(x), y = scope.Zeros(1), dX = scope.Floats(x), dY = scope.Scalar(2);
        scope.Device.Reductions.PenaltyForward(input, 0.5f, 0.25f, y);
        DeviceScope.AssertNear(y, [PenaltyReference.Forward(x, 0.5, 0.25)], 2);
        scope.Device.Reductions.PenaltyBackward(input, 0.5f, 0.25f, dY, dX, accumulate: true);
        DeviceScope.AssertNear(dX, [.. x.Select(v => v + (2 * PenaltyReference.Slope(v, 0.5, 0.25)))], 2, 1e-6);
        scope.Device.Reductions.PenaltyBackward(input, 0.5f, 0.25f, dY, dX, accumulate: false);
        DeviceScope.AssertNear(dX, [.. x.Select(v => 2 * PenaltyReference.Slope(v, 0.5, 0.25))], 2, 1e-6);
    }

    private static IEnumerable<string> Rows => FunctionTable.Losses.Select(row => row.TextName);

    private static double[] Draw(int count, int seed, double low, double high) =>
        [.. DeviceScope.Random(count, seed, 0.4999).Select(v => (double)(float)(low + ((high - low) * (v + 0.5))))];

    private static void Compare(DeviceScope scope, double[] losses, double[] slopes, Forward forward, Backward backward)
    {
        int size = losses.Length;
        double[] given = DeviceScope.Random(size, 9);
        foreach (Reduction reduction in Enum.GetValues<Reduction>())
        {
            double total = losses.Sum();
            double[] expected = reduction switch { Reduction.None => losses, Reduction.Mean => [total / size], _ => [total] };
            Tensor loss = scope.Zeros(expected.Length);
            long? divisor = reduction switch { Reduction.None => null, Reduction.Mean => size, _ => 1 };
            forward(divisor, loss);

            // Single losses have the rounding error of their larger half, sums of positive terms a relative one, others that of
            // the terms' magnitudes.
            double magnitudes = losses.Sum(Math.Abs) / (reduction == Reduction.Mean ? size : 1);
            double absolute = reduction == Reduction.None
                ? 1e-6
                : losses.All(term => term >= 0)
                ? 1e-7
                : 1e-7 * Math.Max(1, magnitudes);
            DeviceScope.AssertNear(loss, expected, 8, absolute);
            double[] gradient = [
                .. slopes.Select(
                    (s, i) => s * (reduction == Reduction.None ? given[i] : reduction == Reduction.Mean ? 3.0 / size : 3))];
            Tensor dLoss = reduction == Reduction.None ? scope.Floats(given) : scope.Scalar(3), dX = scope.Floats(given);
            backward(divisor, dLoss, dX, true);
            DeviceScope.AssertNear(dX, [.. gradient.Zip(given, (a, b) => a + b)], 10, 2e-6);
            backward(divisor, dLoss, dX, false);
            DeviceScope.AssertNear(dX, gradient, 10, 2e-6);
        }
    }
}
