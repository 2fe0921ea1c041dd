using FastNN.Cli;
using FastNN.Kernels;

namespace FastNN.Cuda.Tests;

/// <summary>
/// cuDNN's recurrent networks: when they are used, how often they are called, and what fails. Their numbers are held by
/// RecurrenceCases and by PyTorch's, with cuDNN and without.
/// </summary>
internal sealed class CudnnRecurrenceTests : CudaFixture
{
    private const int Steps = 5;

    private static readonly RecurrenceGeometry Small = new(RecurrentCell.Lstm, false, Steps, 3, 4, 6) { HasBias = true };

    private static readonly string[] Opening =
    [
        "cudnnCreateRNNDescriptor", "cudnnCreateRNNDataDescriptor", "cudnnCreateDropoutDescriptor",
        "cudnnSetDropoutDescriptor", "cudnnSetTensorNdDescriptor", "cudnnSetRNNDataDescriptor", "cudnnSetRNNDescriptor_v8",
        "cudnnGetRNNWeightSpaceSize", "cudnnGetRNNTempSpaceSizes", "cudnnGetRNNWeightParams", "cudnnGetTensorNdDescriptor",
    ];

    [Test]
    public void Sequences_of_one_length_are_cuDNNs_and_others_our_own()
    {
        using CudaDevice device = Open();
        Assert.That(device.Cudnn.Find(Small), Is.Not.Null);
        Assert.That(device.Cudnn.Find(Small), Is.SameAs(device.Cudnn.Find(Small with { })), "made once");
        Assert.That(device.Cudnn.Find(Small with { IsReverse = true }), Is.Not.Null);
        Assert.That(device.Cudnn.Find(Small with { HasLengths = true }), Is.Null);
        Assert.That(device.Cudnn.Find(Small with { Batch = 0 }), Is.Null);
        using CudaDevice without = Open(new CudaOptions { UseCudnn = false });
        Assert.That(without.Cudnn.Find(Small), Is.Null);
        Assert.That(without.RecurrenceSavedBytes(Small, training: true), Is.EqualTo(Small.SavedBytes(training: true)));
    }

    [TestCase(true, false, 1, 2)]
    [TestCase(true, true, 1, 2)]
    [TestCase(false, false, 0, 0)]
    public void A_pass_is_one_call_of_cuDNN_forward_and_two_backward(bool cudnn, bool reverse, int forward, int backward)
    {
        using CudaDevice device = TestGpu.Create(new CudaOptions { UseCudnn = cudnn });
        using OpRun run = Lstm(reverse).Compile(device);
        run.Graph.Upload();
        run.Graph.Forward();
        _ = run.Output;
        TestGpu.Software.ResetCounters();
        run.Graph.Forward();
        _ = run.Output;
        DeviceCounts counts = TestGpu.Software.Counts();
        Assert.That(Calls(counts, "cudnnRNN"), Is.EqualTo(forward));

        // The weights' way to cuDNN, and the steps turned around before and behind it; else the inputs' product, c, and a launch
        // for each step.
        Assert.That(counts.Launches, Is.LessThanOrEqualTo(!cudnn ? Steps + 3 : reverse ? 4 : 2));
        TestGpu.Software.ResetCounters();
        run.Graph.Backward();
        _ = run.Output;
        counts = TestGpu.Software.Counts();
        Assert.That(Calls(counts, "cudnnRNN"), Is.EqualTo(backward));
        if (cudnn)
        {
            Assert.That(counts.Kernels.Where(kernel => kernel.Name.StartsWith("recurrence_forward", StringComparison.Ordinal)
                || kernel.Name.StartsWith("recurrence_backward", StringComparison.Ordinal)), Is.Empty);
        }
        else
        {
            Assert.That(
                counts.Kernels.Where(kernel => kernel.Name == "recurrence_backward_lstm").Sum(kernel => kernel.Launches),
                Is.EqualTo(Steps + 1), "and one for the first state");
        }
    }

    [Test]
    public void One_tensor_may_be_both_states_and_both_weights_and_both_biases(
        [Values] bool cudnn, [Values] bool reverse, [Values(RecurrentCell.Lstm, RecurrentCell.Gru)] RecurrentCell cell)
    {
        const int hidden = 4, batch = 3;
        int width = (cell == RecurrentCell.Lstm ? 4 : 3) * hidden;
        var shared = new OpCase(
            "shared",
            [
                OpInput.Uniform("x", new Shape(Steps, batch, hidden)), OpInput.Uniform("weight", new Shape(hidden, width)),
                OpInput.Uniform("bias", new Shape(width)), OpInput.Uniform("state", new Shape(batch, hidden)),
            ],
            v => cell == RecurrentCell.Lstm
                ? v[0].Lstm(v[1], v[1], v[2], v[2], v[3], v[3], isReverse: reverse)[0]
                : v[0].Gru(v[1], v[1], v[2], v[2], v[3], isReverse: reverse)[0],
            v => RecurrenceReference.Forward(
                new(cell, Steps, batch, hidden, hidden, reverse, Bias: true, State: true, Lengths: false),
                cell == RecurrentCell.Lstm
                    ? [v[0], v[1], v[1], v[2], v[2], v[3], v[3]]
                    : [v[0], v[1], v[1], v[2], v[2], v[3]])[0])
        {
            Samples = 12,
            Tolerance = 1e-4,
        };
        using CudaDevice device = TestGpu.Create(new CudaOptions { UseCudnn = cudnn });
        OpChecks.Run(shared, device);
    }

    [Test]
    public void A_sequence_that_was_not_seen_before_is_not_captured()
    {
        using CudaDevice device = Open();
        Assert.That(
            () => device.Capture(() => device.Cudnn.Find(Small)),
            Throws.TypeOf<DeviceException>().With.Message.Contains("must have run before"));
    }

    [Test]
    public void What_cuDNN_calls_unsupported_is_left_to_own_kernels(
        [Values("cudnnSetRNNDescriptor_v8", "cudnnSetRNNDataDescriptor", "cudnnGetRNNTempSpaceSizes")] string call)
    {
        using CudaDevice device = Open();
        Fail($"{call}:1:3001");
        Assert.That(device.Cudnn.Find(Small), Is.Null);
        Assert.That(device.RecurrenceSavedBytes(Small, training: true), Is.EqualTo(Small.SavedBytes(training: true)));
    }

    [Test]
    public void Opening_that_fails_is_named_and_can_be_tried_again([ValueSource(nameof(Opening))] string call)
    {
        using CudaDevice device = Open();
        Fail($"{call}:1:4000");
        Assert.That(
            () => device.Cudnn.Find(Small),
            Throws.TypeOf<DeviceException>().With.Message.Contains($"{call} failed with").And.Message.Contains("(4000)"));
        Assert.That(device.Cudnn.Find(Small), Is.Not.Null);
    }

    [Test]
    public void A_failed_pass_names_call_code_and_sizes()
    {
        using CudaDevice device = TestGpu.Create();
        using OpRun run = Lstm(reverse: false).Compile(device);
        run.Graph.Upload();
        Fail("cudnnRNNForward:1:5000");
        Assert.That(
            run.Graph.Forward,
            Throws.TypeOf<DeviceException>().With.Message.Contains("cudnnRNNForward failed with CUDNN_STATUS_EXECUTION_FAILED")
                .And.Message.Contains("Hidden = 6"));
    }

    [Test]
    public void All_that_is_created_is_destroyed()
    {
        TestGpu.Software.ResetCounters();
        using (CudaDevice device = Open())
        {
            _ = device.Cudnn.Find(Small);
        }

        IReadOnlyDictionary<string, long> calls = TestGpu.Software.Counts().Calls;
        foreach ((string create, long count) in calls.Where(call => call.Key.StartsWith("cudnnCreate", StringComparison.Ordinal)))
        {
            Assert.That(
                calls.GetValueOrDefault(create.Replace("Create", "Destroy", StringComparison.Ordinal)), Is.EqualTo(count),
                create);
        }
    }

    private static OpCase Lstm(bool reverse) => new(
        "lstm",
        [
            OpInput.Uniform("x", new Shape(Steps, 3, 4)), OpInput.Uniform("input", new Shape(4, 24)),
            OpInput.Uniform("hidden", new Shape(6, 24)), OpInput.Uniform("bias", new Shape(24)),
            OpInput.Uniform("bias", new Shape(24)), OpInput.Uniform("h", new Shape(3, 6)), OpInput.Uniform("c", new Shape(3, 6)),
        ],
        v => v[0].Lstm(v[1], v[2], v[3], v[4], v[5], v[6], isReverse: reverse)[0], _ => []);

    private static long Calls(DeviceCounts counts, string prefix) =>
        counts.Calls.Where(call => call.Key.StartsWith(prefix, StringComparison.Ordinal)).Sum(call => call.Value);

    private static void Fail(string failures) => Assert.That(TestGpu.Software.Set("SOFTCUDA_FAIL", failures), Is.True, failures);
}
