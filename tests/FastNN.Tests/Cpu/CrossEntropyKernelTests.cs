using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN.Tests.Cpu;

public sealed class CrossEntropyKernelTests
{
    [Test]
    public void All_options_agree_with_the_definition(
        [Values] CrossEntropyInputs input, [Values] Reduction reduction, [Values] bool byIndex, [Values] bool weighted,
        [Values(0f, 0.1f)] float smoothing)
    {
        CrossEntropyInput kind = (CrossEntropyInput)input;
        if (kind != CrossEntropyInput.Logits && smoothing != 0)
        {
            return;
        }

        using var scope = new DeviceScope();
        foreach ((int rows, int classes) in new[] { (1, 1), (128, 10), (7, 16), (13, 33), (3, 129), (7001, 3), (31, 3000) })
        {
            var options = new CrossEntropyOptions(
                kind, reduction, smoothing, IgnoreIndex: byIndex && rows > 1 && classes > 2 ? 2 : -100);
            Compare(scope, options, rows, classes, byIndex, weighted);
        }
    }

    [Test]
    public void Ignored_and_impossible_indices()
    {
        using var scope = new DeviceScope(1);
        Tensor x = scope.Floats([1, 2, 3, 1, 2, 3], 2, 3), saved = scope.Zeros(9), loss = scope.Zeros(1),
        dX = scope.Floats([9, 9, 9, 9, 9, 9]);
        var options = new CrossEntropyOptions(CrossEntropyInput.Logits, Reduction.Mean);
        Tensor ignored = scope.Ints([-100, -100]), outside = scope.Ints([3, -1]);
        scope.Device.Losses.CrossEntropyForward(options, x, ignored, null, loss, saved);
        Assert.That(DeviceScope.Read(loss)[0], Is.NaN, "a mean over nothing, as PyTorch has it");
        scope.Device.Losses.CrossEntropyBackward(options, x, ignored, null, saved, scope.Scalar(1), dX, accumulate: false);
        Assert.That(DeviceScope.Read(dX), Has.All.Zero);
        scope.Device.Losses.CrossEntropyForward(options with { Reduction = Reduction.Sum }, x, outside, null, loss, saved);
        Assert.That(DeviceScope.Read(loss)[0], Is.NaN);
    }

    [Test]
    public void Impossible_classes_cost_nothing_where_they_are_not_the_target()
    {
        using var scope = new DeviceScope(1);
        Tensor x = scope.Floats([double.NegativeInfinity, 0, 0], 1, 3), saved = scope.Zeros(5), loss = scope.Zeros(1);
        scope.Device.Losses.CrossEntropyForward(
            new(CrossEntropyInput.Logits, Reduction.Sum), x, scope.Ints([1]), null, loss, saved);
        Assert.That(DeviceScope.Read(loss)[0], Is.EqualTo(MathF.Log(2)).Within(1e-7f));
    }

    /// <summary>The kernel's kinds under a name that a public test may take.</summary>
    public enum CrossEntropyInputs
    {
        Logits,
        LogProbabilities,
        Probabilities,
    }

    private static void Compare(
        DeviceScope scope, CrossEntropyOptions options, int rows, int classes, bool byIndex, bool weighted)
    {
        double[] x = DeviceScope.Random(rows * classes, 1, 5);
        if (options.Input == CrossEntropyInput.Probabilities)
        {
            x = [.. x.Select((v, i) => i % 11 == 3 ? 0 : i % 11 == 5 ? 1 : (double)(float)(0.5 + (v / 11)))];
        }

        double[] targets = [.. DeviceScope.Random(rows * classes, 2, 0.5).Select(v => (double)(float)((v + 0.5) / classes))];
        var random = new Random(3);
        int[] indices = [.. Enumerable.Range(0, rows).Select(i => i == 0 ? 0 : random.Next(classes))];
        double[] weights = weighted ? [.. DeviceScope.Random(classes, 4, 0.5).Select(v => (double)(float)(v + 0.75))] : [];
        bool perRow = options.Reduction == Reduction.None;
        double[] dLoss = DeviceScope.Random(perRow ? rows : 1, 5), loss = new double[perRow ? rows : 1],
        dX = new double[x.Length];
        CrossEntropyReference.Run(options, x, classes, byIndex ? indices : [], targets, weights, loss, dLoss, dX);

        Tensor input = scope.Floats(x, rows, classes), saved = scope.Zeros((rows * classes) + rows + 1),
        value = scope.Zeros(loss.Length);
        Tensor target = byIndex ? scope.Ints(indices) : scope.Floats(targets, rows, classes);
        Tensor? classWeights = weighted ? scope.Floats(weights) : null;
        scope.Device.Losses.CrossEntropyForward(options, input, target, classWeights, value, saved);
        DeviceScope.AssertNear(value, loss, 16, 2e-6);

        // A gradient is a difference of terms as large as the given one times a weight, and so are its rounding errors.
        double terms = dLoss.Max(Math.Abs) / (options.Reduction == Reduction.Mean ? 0.75 * rows : 1);
        double steepest = terms + dX.Max(Math.Abs);
        Tensor gradient = scope.Floats(x, rows, classes), given = scope.Floats(dLoss);
        scope.Device.Losses.CrossEntropyBackward(options, input, target, classWeights, saved, given, gradient, accumulate: true);
        DeviceScope.AssertNear(gradient, [.. dX.Zip(x, (a, b) => a + b)], 12, 2e-6 * (1 + steepest));
        scope.Device.Losses.CrossEntropyBackward(options, input, target, classWeights, saved, given, gradient, accumulate: false);
        DeviceScope.AssertNear(gradient, dX, 12, 2e-6 * steepest);
    }
}
