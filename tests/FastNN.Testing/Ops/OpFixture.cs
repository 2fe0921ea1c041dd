using FastNN.Kernels;

namespace FastNN.Testing;

/// <summary>Runs the cases of one operator in the modes that test, on the devices of the fixture.</summary>
internal abstract class OpFixture<TCases> : DeviceFixture
    where TCases : IOpCases
{
    /// <summary>What each case's first run on a device gave; several tests look at it.</summary>
    private readonly Dictionary<(OpCase Case, IDevice Device), float[][]> _results = [];

    /// <summary>The devices that have to agree, in bits as well.</summary>
    protected abstract IReadOnlyList<IDevice> Devices { get; }

    protected static IReadOnlyList<OpCase> Sources => Declared<TCases>.Cases;

    [OneTimeTearDown]
    public void ForgetResults() => _results.Clear();

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
    public void Inputs_that_are_views_give_the_same_numbers(OpCase @case) => CheckViews(@case, Devices[^1]);

    [TestCaseSource(nameof(Sources))]
    public void Repetition_and_threads_change_no_bit(OpCase @case)
    {
        float[][] first = Results(@case, Devices[0]);
        foreach (IDevice device in Devices)
        {
            using OpRun run = @case.Compile(device);
            for (int repetition = 0; repetition < 2; repetition++)
            {
                run.Run();
                Near.SameBits(first, run.Results);
            }
        }
    }

    [TestCaseSource(nameof(Sources))]
    public void A_step_allocates_nothing(OpCase @case)
    {
        using OpRun run = @case.Compile(Devices[0]);
        Assert.That(run.Graph.AllocatedBytesPerRun(), Is.Zero);
    }

    protected void CheckReference(OpCase @case, IDevice device)
    {
        var found = new Closeness();
        OpChecks.Reference(@case, Results(@case, device), $"{device.Kind} of {device.Threads}", found);
        Near.Require(found);
    }

    protected void CheckDifferences(OpCase @case, IDevice device) =>
        CheckGradients(@case, Results(@case, device).AsSpan(1), factor: 1);

    private static void CheckTwoConsumers(OpCase @case, IDevice device)
    {
        using OpRun run = @case.CompileTwice(device);
        run.Run();
        Near.Check("y + 2 y", run.Output, Array.ConvertAll(@case.Reference(@case.Draw()), y => 3 * y), 3 * @case.Tolerance);
        CheckGradients(@case, run.Gradients, factor: 3);
    }

    private void CheckEachAlone(OpCase @case, IDevice device)
    {
        int next = 1;
        foreach (int i in @case.Differentiable)
        {
            using OpRun alone = @case.Compile(device, i);
            alone.Run();
            double[] expected = Array.ConvertAll(Results(@case, device)[next++], value => (double)value);
            Near.Check($"d{@case.Inputs[i].Name}", alone.Gradients[0], expected, @case.Tolerance);
        }
    }

    private void CheckViews(OpCase @case, IDevice device)
    {
        float[][] whole = Results(@case, device);
        using OpRun run = @case.CompileOnViews(device);
        run.Run();
        float[][] views = run.Results;
        Near.Check("y", views[0], Array.ConvertAll(whole[0], value => (double)value), @case.Tolerance);
        for (int i = 1; i < views.Length; i++)
        {
            // What lies in front of a view has no gradient.
            double[] expected = Array.ConvertAll(whole[i], value => (double)value);
            Near.Check($"gradient {i - 1}", views[i], [.. new double[expected.Length], .. expected], @case.Tolerance);
        }
    }

    private static void CheckGradients(OpCase @case, ReadOnlySpan<float[]> gradients, double factor)
    {
        var found = new Closeness();
        OpChecks.Differences(@case, gradients, factor, found);
        Near.Require(found);
    }

    private float[][] Results(OpCase @case, IDevice device)
    {
        if (!_results.TryGetValue((@case, device), out float[][]? results))
        {
            using OpRun run = @case.Compile(device);
            run.Run();
            _results[(@case, device)] = results = run.Results;
        }

        return results;
    }
}

/// <summary>The cases of one operator as one list per process, so that what is found out about a case is found once.</summary>
internal static class Declared<TCases>
    where TCases : IOpCases
{
    public static IReadOnlyList<OpCase> Cases { get; } = [.. Quick.Sample(TCases.Cases)];
}
