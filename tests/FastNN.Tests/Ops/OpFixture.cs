using FastNN.Kernels;

namespace FastNN.Tests.Ops;

/// <summary>What a fixture of one operator declares.</summary>
internal interface IOpCases
{
    static abstract IEnumerable<OpCase> Cases { get; }
}

/// <summary>Runs the cases of one operator in the modes that test; fixtures add what is special to their operator.</summary>
/// <typeparam name="TCases">The fixture itself.</typeparam>
internal abstract class OpFixture<TCases> : DeviceFixture
    where TCases : IOpCases
{
    private const double Step = 1e-5;

    protected static IEnumerable<OpCase> Sources => TCases.Cases;

    [TestCaseSource(nameof(Sources))]
    [Category("Rungs")]
    public void Forward_and_backward_equal_the_double_reference(OpCase @case)
    {
        CheckReference(@case, One);
        CheckReference(@case, Two);
    }

    [TestCaseSource(nameof(Sources))]
    [Category("Cuda")]
    public void Forward_and_backward_on_cuda_equal_the_double_reference(OpCase @case) => CheckReference(@case, Gpu);

    [TestCaseSource(nameof(Sources))]
    public void Gradients_equal_central_differences_of_the_reference(OpCase @case) => CheckDifferences(@case, Two);

    [TestCaseSource(nameof(Sources))]
    [Category("Cuda")]
    public void Gradients_on_cuda_equal_central_differences_of_the_reference(OpCase @case) => CheckDifferences(@case, Gpu);

    [TestCaseSource(nameof(Sources))]
    public void Gradients_of_two_consumers_add_up(OpCase @case) => CheckTwoConsumers(@case, Two);

    [TestCaseSource(nameof(Sources))]
    [Category("Cuda")]
    public void Gradients_of_two_consumers_add_up_on_cuda(OpCase @case) => CheckTwoConsumers(@case, Gpu);

    [TestCaseSource(nameof(Sources))]
    public void Each_gradient_can_be_had_alone(OpCase @case) => CheckEachAlone(@case, One);

    [TestCaseSource(nameof(Sources))]
    [Category("Cuda")]
    public void Each_gradient_can_be_had_alone_on_cuda(OpCase @case) => CheckEachAlone(@case, Gpu);

    [TestCaseSource(nameof(Sources))]
    public void Threads_and_repetition_change_no_bit(OpCase @case)
    {
        using OpRun one = @case.Compile(One);
        using OpRun two = @case.Compile(Two);
        one.Run();
        float[][] first = [one.Output, .. one.Gradients];
        for (int repetition = 0; repetition < 3; repetition++)
        {
            two.Run();
            Near.SameBits(first, [two.Output, .. two.Gradients]);
        }

        one.Run();
        Near.SameBits(first, [one.Output, .. one.Gradients]);
    }

    [TestCaseSource(nameof(Sources))]
    [Category("Cuda")]
    public void Repetition_on_cuda_changes_no_bit(OpCase @case) => CheckRepetition(@case, Gpu);

    [TestCaseSource(nameof(Sources))]
    public void A_step_allocates_nothing(OpCase @case)
    {
        using OpRun run = @case.Compile(One);
        Assert.That(run.Graph.AllocatedBytesPerRun(), Is.Zero);
    }

    [TestCaseSource(nameof(Sources))]
    [Category("Cuda")]
    public void A_step_on_cuda_allocates_nothing(OpCase @case)
    {
        using OpRun run = @case.Compile(Gpu);
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
