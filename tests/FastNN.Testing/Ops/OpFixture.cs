using FastNN.Kernels;

namespace FastNN.Testing;

/// <summary>What a fixture of one operator declares.</summary>
internal interface IOpCases
{
    static abstract IEnumerable<OpCase> Cases { get; }
}

/// <summary>Runs the cases of one operator in the modes that test, on the devices of the fixture.</summary>
internal abstract class OpFixture<TCases> : DeviceFixture
    where TCases : IOpCases
{
    private const double Step = 1e-5;

    /// <summary>The devices that have to agree, in bits as well.</summary>
    protected abstract IReadOnlyList<IDevice> Devices { get; }

    protected static IEnumerable<OpCase> Sources => TCases.Cases;

    [TestCaseSource(nameof(Sources))]
    [Category("Rungs")]
    public void Forward_and_backward_equal_the_double_reference(OpCase @case)
    {
        foreach (IDevice device in Devices)
        {
            CheckReference(@case, device);
        }
    }

    [TestCaseSource(nameof(Sources))]
    public void Gradients_equal_central_differences_of_the_reference(OpCase @case) => CheckDifferences(@case, Devices[^1]);

    [TestCaseSource(nameof(Sources))]
    public void Gradients_of_two_consumers_add_up(OpCase @case) => CheckTwoConsumers(@case, Devices[^1]);

    [TestCaseSource(nameof(Sources))]
    public void Each_gradient_alone_equals_it_beside_the_others(OpCase @case) => CheckEachAlone(@case, Devices[0]);

    [TestCaseSource(nameof(Sources))]
    public void Repetition_and_threads_change_no_bit(OpCase @case)
    {
        float[][]? first = null;
        foreach (IDevice device in Devices)
        {
            using OpRun run = @case.Compile(device);
            for (int repetition = 0; repetition < 2; repetition++)
            {
                run.Run();
                first ??= [run.Output, .. run.Gradients];
                Near.SameBits(first, [run.Output, .. run.Gradients]);
            }
        }
    }

    [TestCaseSource(nameof(Sources))]
    public void A_step_allocates_nothing(OpCase @case)
    {
        using OpRun run = @case.Compile(Devices[0]);
        Assert.That(run.Graph.AllocatedBytesPerRun(), Is.Zero);
    }

    protected static void CheckReference(OpCase @case, IDevice device)
    {
        double[][] inputs = @case.Draw();
        double[] expected = @case.Reference(inputs);
        double[]?[]? gradients = @case.ReferenceBackward?.Invoke(inputs, OpCase.DrawUpstream(expected.Length));
        using OpRun run = @case.Compile(device);
        run.Run();
        string where = $"{device.Kind} of {device.Threads}";
        Near.Check($"y on {where}", run.Output, expected, @case.Tolerance);
        float[][] actual = run.Gradients;
        int next = 0;
        foreach (int i in @case.Differentiable)
        {
            if (gradients?[i] is { } gradient)
            {
                Near.Check($"d{@case.Inputs[i].Name} on {where}", actual[next], gradient, @case.Tolerance);
            }

            next++;
        }
    }

    protected static void CheckRepetition(OpCase @case, IDevice device)
    {
        using OpRun run = @case.Compile(device);
        run.Run();
        float[][] first = [run.Output, .. run.Gradients];
        run.Run();
        Near.SameBits(first, [run.Output, .. run.Gradients]);
    }

    private static void CheckDifferences(OpCase @case, IDevice device)
    {
        using OpRun run = @case.Compile(device);
        run.Run();
        CheckGradients(@case, run.Gradients, factor: 1);
    }

    protected static void CheckTwoConsumers(OpCase @case, IDevice device)
    {
        using OpRun run = @case.CompileTwice(device);
        run.Run();
        Near.Check("y + 2 y", run.Output, Array.ConvertAll(@case.Reference(@case.Draw()), y => 3 * y), 3 * @case.Tolerance);
        CheckGradients(@case, run.Gradients, factor: 3);
    }

    protected static void CheckEachAlone(OpCase @case, IDevice device)
    {
        int next = 0;
        using OpRun all = @case.Compile(device);
        all.Run();
        foreach (int i in @case.Differentiable)
        {
            using OpRun alone = @case.Compile(device, i);
            alone.Run();
            double[] expected = Array.ConvertAll(all.Gradients[next++], value => (double)value);
            Near.Check($"d{@case.Inputs[i].Name}", alone.Gradients[0], expected, @case.Tolerance);
        }
    }

    /// <summary>Every checked element of every gradient against (L(x + h) - L(x - h)) / 2h, L the sum of output times upstream in double.</summary>
    private static void CheckGradients(OpCase @case, float[][] actual, double factor)
    {
        double[][] inputs = @case.Draw();
        double[] upstream = OpCase.DrawUpstream(@case.Reference(inputs).Length);
        int next = 0;
        foreach (int i in @case.Differentiable)
        {
            float[] gradient = actual[next++];
            int[] elements = [.. Enumerable.Range(0, gradient.Length)];
            if (elements.Length > @case.Samples)
            {
                new Random(7).Shuffle(elements);
                elements = elements[..@case.Samples];
            }

            foreach (int element in elements)
            {
                double expected = factor * Slope(@case, inputs, i, element, upstream);
                Near.Check($"d{@case.Inputs[i].Name}[{element}]", gradient[element], expected, factor * @case.Tolerance);
            }
        }
    }

    private static double Slope(OpCase @case, double[][] inputs, int input, int element, double[] upstream)
    {
        double value = inputs[input][element];
        inputs[input][element] = value + Step;
        double above = Dot(@case.Reference(inputs), upstream);
        inputs[input][element] = value - Step;
        double below = Dot(@case.Reference(inputs), upstream);
        inputs[input][element] = value;
        return (above - below) / (2 * Step);
    }

    private static double Dot(double[] x, double[] y)
    {
        double sum = 0;
        for (int i = 0; i < x.Length; i++)
        {
            sum += x[i] * y[i];
        }

        return sum;
    }
}
