using FastNN.Tensors;

namespace FastNN.Tests.Cpu;

/// <summary>Binary cross-entropy, mean squared error and penalties.</summary>
public sealed class LossesTests
{
    private delegate void Forward(Reduction reduction, Tensor loss);

    private delegate void Backward(Reduction reduction, Tensor dLoss, Tensor dX, bool accumulate);

    [Test]
    public void Mean_squared_error([ValueSource(typeof(DeviceScope), nameof(DeviceScope.Sizes))] int size)
    {
        using var scope = new DeviceScope();
        double[] x = DeviceScope.Random(size, 1), t = DeviceScope.Random(size, 2);
        Tensor input = scope.Floats(x), targets = scope.Floats(t);
        Compare(
            scope, [.. x.Zip(t, MeanSquaredErrorReference.Loss)], [.. x.Zip(t, MeanSquaredErrorReference.Slope)],
            (reduction, loss) => scope.Device.Losses.MeanSquaredErrorForward(reduction, input, targets, loss),
            (reduction, dLoss, dX, accumulate) =>
                scope.Device.Losses.MeanSquaredErrorBackward(reduction, input, targets, dLoss, dX, accumulate));
    }

    [Test]
    public void Binary_cross_entropy(
        [ValueSource(typeof(DeviceScope), nameof(DeviceScope.Sizes))] int rows, [Values(1, 3)] int columns, [Values] bool fromLogits, [Values] bool weighted)
    {
        using var scope = new DeviceScope();
        int size = rows * columns;
        double[] x = fromLogits ? DeviceScope.Random(size, 1, 12) : Probabilities(size, 1);
        double[] t = Probabilities(size, 2), w = Probabilities(size, 3), p = Probabilities(columns, 4);
        bool positive = weighted && fromLogits;
        Tensor input = scope.Floats(x, rows, columns), targets = scope.Floats(t);
        Tensor? weights = weighted ? scope.Floats(w) : null, positiveWeights = positive ? scope.Floats(p) : null;
        double Weight(int i) => weighted ? w[i] : 1;
        double Positive(int i) => positive ? p[i % columns] : 1;
        Compare(
            scope,
            [.. Enumerable.Range(0, size).Select(i => BinaryCrossEntropyReference.Loss(fromLogits, x[i], t[i], Weight(i), Positive(i)))],
            [.. Enumerable.Range(0, size).Select(i => BinaryCrossEntropyReference.Slope(fromLogits, x[i], t[i], Weight(i), Positive(i)))],
            (reduction, loss) => scope.Device.Losses.BinaryCrossEntropyForward(fromLogits, reduction, input, targets, weights, positiveWeights, loss),
            (reduction, dLoss, dX, accumulate) => scope.Device.Losses.BinaryCrossEntropyBackward(
                fromLogits, reduction, input, targets, weights, positiveWeights, dLoss, dX, accumulate));
    }

    [Test]
    public void Binary_cross_entropy_clamps_certain_mistakes()
    {
        using var scope = new DeviceScope(1);
        Tensor x = scope.Floats([0, 1, 0, 1]), t = scope.Floats([0, 1, 1, 0]), loss = scope.Zeros(4);
        scope.Device.Losses.BinaryCrossEntropyForward(false, Reduction.None, x, t, null, null, loss);
        Assert.That(DeviceScope.Read(loss), Is.EqualTo(new float[] { 0, 0, 100, 100 }));
        Tensor logits = scope.Floats([-1000, 1000, -1000, 1000]);
        scope.Device.Losses.BinaryCrossEntropyForward(true, Reduction.None, logits, t, null, null, loss);
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

    private static double[] Probabilities(int count, int seed) =>
        [.. DeviceScope.Random(count, seed, 0.4999).Select(v => (double)(float)(v + 0.5))];

    private static void Compare(DeviceScope scope, double[] losses, double[] slopes, Forward forward, Backward backward)
    {
        int size = losses.Length;
        double[] given = DeviceScope.Random(size, 9);
        foreach (Reduction reduction in Enum.GetValues<Reduction>())
        {
            double total = losses.Sum();
            double[] expected = reduction switch { Reduction.None => losses, Reduction.Mean => [total / size], _ => [total] };
            Tensor loss = scope.Zeros(expected.Length);
            forward(reduction, loss);

            // Single losses have the rounding error of their larger half, sums of positive terms a relative one.
            DeviceScope.AssertNear(loss, expected, 8, reduction == Reduction.None ? 1e-6 : 1e-7);
            double[] gradient = [.. slopes.Select((s, i) => s * (reduction == Reduction.None ? given[i] : reduction == Reduction.Mean ? 3.0 / size : 3))];
            Tensor dLoss = reduction == Reduction.None ? scope.Floats(given) : scope.Scalar(3), dX = scope.Floats(given);
            backward(reduction, dLoss, dX, true);
            DeviceScope.AssertNear(dX, [.. gradient.Zip(given, (a, b) => a + b)], 10, 2e-6);
            backward(reduction, dLoss, dX, false);
            DeviceScope.AssertNear(dX, gradient, 10, 2e-6);
        }
    }
}
